"""Questions that are answered on paper first: the right answers are read from a simulated run, never from a list."""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from kernel.errors import UsageError
from kernel.pages import place
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.simulated import Simulated, play
from scenarios.faults.plan import FaultPlan
from testbed.labs.lab import Lab

FILE = "answers.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One question. `given`: the student's answer, "" = none yet."""

    key: str
    given: str
    right: bool


@dataclass(frozen=True, slots=True)
class _Order:
    """One order of a run: its ledger rows in the order in which they came, and the log of its calls."""

    rows: list[dict[str, Any]]
    calls: list[str]
    faults: FaultPlan

    def after(self, answer: str) -> str:
        """Service and operation of what this answer led to."""
        row = next(r for r in self.rows if r["caused_by"].endswith(f":{answer}"))
        return f"{row['service']} {row['operation']}"

    def chain(self, first: str) -> str:
        """The operations from this one on, in their order."""
        names = [row["operation"] for row in self.rows]
        return ", ".join(names[names.index(first) :])

    def called(self, operation: str) -> str:
        """How often a participant was asked for it."""
        return str(sum(call.endswith(f" {operation}") for call in self.calls))

    def done(self, operation: str) -> str:
        """How many rows it has left in a ledger."""
        return str(sum(row["operation"] == operation for row in self.rows))

    def last(self, _: str) -> str:
        """The answer of what was done last."""
        return str(self.rows[-1]["answer"])

    def cause(self, operation: str) -> str:
        """The message that led to an operation."""
        row = next(r for r in self.rows if r["operation"] == operation)
        return str(row["caused_by"].rpartition(":")[2])

    def missing(self, operations: str) -> str:
        """Which of these operations, with | between them, has no row."""
        names = {row["operation"] for row in self.rows}
        return ", ".join(name for name in operations.split("|") if name not in names)

    def struck(self, moment: str) -> str:
        """The operation at which this fault strikes."""
        return next(fault.operation for fault in self.faults.faults if fault.moment == moment)


def score(lab: Lab, folder: Path) -> list[Answered]:
    """Every question with the student's answer. Raise UsageError if the answers cannot be read."""
    given = _given(lab, folder)
    return [
        Answered(key=key, given=given[key], right=_same(given[key], truth))
        for key, truth in truths(lab).items()
    ]


def truths(lab: Lab) -> dict[str, str]:
    """Question -> its right answer."""
    runs = {name: _orders(_schedule(lab, about)) for name, about in lab.about["runs"].items()}
    found = {}
    for question in lab.about["questions"]:
        order = runs[question["run"]][int(question.get("order", 0))]
        ask: Callable[[str], str] = getattr(order, question["ask"])
        found[question["key"]] = ask(question.get("of", ""))
    return found


def _schedule(lab: Lab, about: Mapping[str, Any]) -> Schedule:
    plan = FaultPlan()
    if name := about.get("plan"):
        text = (lab.folder / "start" / name).read_text(encoding="utf-8")
        plan = FaultPlan.from_json(json.loads(text))
    return Schedule(
        style=about["style"],
        scenario=about["scenario"],
        orders=about["orders"],
        faults=plan,
    )


def _orders(schedule: Schedule) -> list[_Order]:
    simulated = play(schedule)
    return [_order(order_id, simulated, schedule.faults) for order_id in schedule.order_ids()]


def _order(order_id: str, simulated: Simulated, faults: FaultPlan) -> _Order:
    assert simulated.ended is not None
    rows = [
        row | {"service": service}
        for service, tables in simulated.ended.ledgers.items()
        for row in tables["ledger"]
        if row["order_id"] == order_id
    ]
    rows.sort(key=lambda row: float(row["mono_s"]))
    mine = [entry for entry in simulated.log if len(entry) > 3 and entry[2] == order_id]
    # What an operator sends on when all is over is not part of the story.
    told = takewhile(lambda entry: entry[1] != "redriven", mine)
    calls = [entry[3] for entry in told if entry[1] == "called"]
    return _Order(rows, calls, faults)


def _given(lab: Lab, folder: Path) -> dict[str, str]:
    path = folder / FILE
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{place(path)}: {error.strerror}: answers go there") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{place(path)}: {error}") from error
    keys = [question["key"] for question in lab.about["questions"]]
    if unknown := [key for key in document if key not in keys]:
        raise UsageError(
            f"{place(path)}: there is no question {unknown[0]!r}: they are {keys[0]} to {keys[-1]}"
        )
    return {key: str(document.get(key, "")).strip() for key in keys}


def _same(given: str, truth: str) -> bool:
    """Capitals, spaces and the last full stop make no difference."""
    return given.lower().replace(" ", "").rstrip(".") == truth.lower().replace(" ", "")
