"""What an arm of a comparison is called: its style, and whatever else differs between runs that are shown together."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from bench.results import RunRow
from kernel.guards import Guards
from kernel.loading import load_saga

Facet = Callable[[RunRow], str]


def named(rows: Sequence[RunRow]) -> list[RunRow]:
    """The same runs, each with the name of its arm and its number in it; runs of one scenario in order of their seeds.

    Runs are compared within a scenario; what differs in any of them is named in all, and so are safeguards that are off. Runs that differ in nothing but
    their seed have its number, and the same run done twice has one of its own.
    """
    found = in_arms(rows)
    seen: dict[tuple[str, str], list[RunRow]] = {}
    for row in found:
        seen.setdefault((row.scenario, row.arm), []).append(row)
    again = {row.folder: _numbered(row, alike) for alike in seen.values() for row in alike}
    scenarios = list(dict.fromkeys(row.scenario for row in found))
    if len(seen) == len(found):
        return [again[row.folder] for row in found]
    return sorted(
        again.values(),
        key=lambda row: (
            scenarios.index(row.scenario),
            row.variation,
            row.about["seed"],
            row.style,
        ),
    )


def in_arms(rows: Sequence[RunRow]) -> list[RunRow]:
    """The same runs, each with the name of its arm, which runs that differ in their seed alone share."""
    facets = [facet for facet in _FACETS if _differ(rows, facet) or _notable(rows, facet)]
    return [replace(row, variation=", ".join(facet(row) for facet in facets)) for row in rows]


def _differ(rows: Iterable[RunRow], facet: Facet) -> bool:
    first: dict[tuple[str, str], str] = {}

    def beside(row: RunRow) -> tuple[str, str]:
        # Which broker and which engine follows from the pair, unless pairs of one kind differ.
        return row.scenario, row.about["backends"]["pair"] if facet in _OF_A_PAIR else ""

    return any(first.setdefault(beside(row), facet(row)) != facet(row) for row in rows)


def _notable(rows: Iterable[RunRow], facet: Facet) -> bool:
    """Whether safeguards are off, which is named even where they are in every run."""
    return facet is _guards and any(row.about["guards"] != "all" for row in rows)


def _numbered(row: RunRow, alike: Sequence[RunRow]) -> RunRow:
    if len(alike) == 1:
        return row
    seeds = [other.about["seed"] for other in alike]
    several = len(set(seeds)) == len(seeds)
    number = f"seed {row.about['seed']}" if several else f"run {alike.index(row) + 1}"
    return replace(row, number=number)


def guards_in_words(text: str) -> str:
    """`all guards`, `no guards` or `without inbox`."""
    guards = str(Guards.parse(text))
    if guards in ("all", "none"):
        return {"all": "all guards", "none": "no guards"}[guards]
    return f"without {guards.replace('-', '').replace(',', ', ')}"


def _guards(row: RunRow) -> str:
    return guards_in_words(row.about["guards"])


def _of(key: str, words: str) -> Facet:
    return lambda row: words.format(row.about.get(key))


def _rule(key: str, words: str) -> Facet:
    def text(row: RunRow) -> str:
        value: Any = row.about["policy"][key]
        return words.format(f"{value:g}" if isinstance(value, float) else value)

    return text


def _plan(row: RunRow) -> str:
    """Faults of the user's own, by a short name of their content."""
    path = row.folder / "extra_plan.json"
    if not path.exists():
        return "no plan"
    faults = json.loads(path.read_text(encoding="utf-8"))["faults"]
    return f"plan {hashlib.sha256(json.dumps(faults).encode()).hexdigest()[:4]}"


def _broker(row: RunRow) -> str:
    return f"broker {row.about['backends']['broker']}"


def _engine(row: RunRow) -> str:
    return f"engine {row.about['backends']['engine']}"


_OF_A_PAIR = (_broker, _engine)
_FACETS: tuple[Facet, ...] = (
    lambda row: f"{load_saga(row.about['saga']).name} saga",
    _guards,
    _of("step_order", "{}"),
    lambda row: f"{row.about['backends']['pair']} pair",
    _broker,
    _engine,
    _of("durability", "durability {}"),
    lambda row: "a process each" if row.about["processes"] else "one process",
    lambda row: "customers apart" if row.about.get("customers_apart") else "customers inside",
    lambda row: f"{row.about['rate_per_s']:g}/s",
    _of("orders", "{} orders"),
    _of("arrivals", "{} arrivals"),
    _of("service_times", "service times {}"),
    _rule("time_scale", "time scale {}"),
    _rule("max_retries", "{} retries"),
    _rule("interval_s", "first retry {} s"),
    _rule("step_deadline_s", "step deadline {} s"),
    _rule("saga_deadline_s", "saga deadline {} s"),
    _rule("on_deadline", "{} on deadline"),
    _plan,
    lambda row: f"{row.about['tracing']['sampling']:.0%} traced",
)
