"""The case of a user: what her flow and her teams are like. Read from a YAML or JSON file, or asked for key by key."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import yaml

from kernel.errors import UsageError, nearest

MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What decides. Rates per second, times in seconds, money in US dollars, payload in KiB; ratios 0 to 1."""

    steps: int
    services: int
    teams: int
    orders_per_s: float
    orders_per_day: float
    refused_ratio: float
    slowest_step_s: float
    longest_wait_s: float
    changes_per_year: float
    listeners: int
    payload_kib: float
    inconsistent_order_usd: float
    aws: bool
    broker_usd_per_month: float

    @classmethod
    def of(cls, values: Mapping[str, Any], *, where: str) -> Self:
        """The case with these values. Raise UsageError for a key that is unknown or missing, or a value out of range, at `where`."""
        if unknown := [key for key in values if key not in QUESTIONS]:
            like = nearest(str(unknown[0]), QUESTIONS)
            raise UsageError(
                f"{where}: unknown key {unknown[0]!r}{like}: keys are {', '.join(QUESTIONS)}"
            )
        if missing := [key for key in QUESTIONS if key not in values]:
            raise UsageError(f"{where}: missing {', '.join(missing)}: see saga decide --help")
        return cls(**{key: _checked(key, values[key], where) for key in QUESTIONS})

    def as_dict(self) -> dict[str, Any]:
        """Key -> value."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Question:
    """How a key is asked for: the words, the valid range (inclusive), and an example."""

    words: str
    least: float
    most: float
    example: float


QUESTIONS: dict[str, Question] = {
    "steps": Question("steps of the flow, without compensations", 2, 200, 5),
    "services": Question("services that take part", 1, 200, 4),
    "teams": Question("teams that own these services", 1, 200, 1),
    "orders_per_s": Question("orders a second, in a busy hour", 0.0001, 1e6, 5),
    "orders_per_day": Question("orders a day", 0.01, 1e9, 50_000),
    "refused_ratio": Question("share of orders that are refused on the way, 0 to 1", 0, 1, 0.03),
    "slowest_step_s": Question("seconds that the slowest automatic step takes", 0, 1e6, 0.3),
    "longest_wait_s": Question(
        "seconds of the longest wait for a person or a partner, 0 = none", 0, 3e7, 0
    ),
    "changes_per_year": Question(
        "times a year that steps are added, removed or swapped", 0, 10_000, 6
    ),
    "listeners": Question("services that only want to hear what happened to an order", 0, 1000, 1),
    "payload_kib": Question("size of an order in KiB", 0.01, 100_000, 1),
    "inconsistent_order_usd": Question(
        "dollars that an inconsistent order costs, all in all", 0, 1e9, 50
    ),
    "aws": Question("whether the flow may run on AWS, 1 or 0", 0, 1, 1),
    "broker_usd_per_month": Question(
        "dollars a month of your message broker, work included, 0 = not known", 0, 1e7, 200
    ),
}
_KINDS = {field.name: field.type for field in fields(Case)}


def read_case(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML or JSON file, unchecked. Raise UsageError if it cannot be read."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path} is larger than {MOST_BYTES} bytes: a case is a dozen lines")
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path} ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = f", line {line + 1}" if line is not None else ""
        raise UsageError(
            f"{path}{place} is neither YAML nor JSON: write `steps: 5` and so on"
        ) from error
    if not isinstance(found, dict):
        raise UsageError(
            f"{path} is no case: write one `key: value` a line ({', '.join(QUESTIONS)})"
        )
    return {str(key): value for key, value in found.items()}


def _checked(key: str, value: Any, where: str) -> Any:
    question, kind = QUESTIONS[key], _KINDS[key]
    if kind is bool and isinstance(value, bool):
        return value
    whole = kind is not float
    right = isinstance(value, (int, float)) and not isinstance(value, bool)
    if right and question.least <= value <= question.most and (not whole or value == int(value)):
        return bool(value) if kind is bool else (int(value) if whole else float(value))
    number = (
        "true or false"
        if kind is bool
        else f"a {'whole ' if whole else ''}number from {question.least:g} to {question.most:g}"
    )
    raise UsageError(f"{where}: {key} is {value!r}: write {number} ({question.words})")
