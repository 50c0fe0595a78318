"""Repeated runs of the same scenario and arm as one line: rates with their intervals, never a bare percentage."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from bench.arms import in_arms
from bench.latency import Proportion, proportion
from bench.results import RunRow
from scenarios.judge.verdict import Judgement

COLUMNS = ("scenario", "arm", "runs consistent", "inconsistent orders", "orders ended as")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What repeated runs of one arm came to.

    The intervals take orders as independent; those of one run share a machine and a coordinator, so `runs_consistent`,
    which takes runs as units, is the one to lean on. None = its scenario means nothing in this style.
    """

    scenario: str
    arm: str
    style: str
    seeds: list[int]
    runs_consistent: Proportion | None
    inconsistent_orders: Proportion | None
    classes: dict[str, Proportion]


def rates_of(rows: Sequence[RunRow]) -> list[Rates]:
    """One for each scenario and arm, by their names."""
    groups: dict[tuple[str, str], list[RunRow]] = {}
    for row in sorted(in_arms(rows), key=lambda row: (row.scenario, row.arm)):
        groups.setdefault((row.scenario, row.arm), []).append(row)
    return [_rates(runs) for runs in groups.values()]


def _rates(runs: Sequence[RunRow]) -> Rates:
    meaningful = [run for run in runs if not run.no_counterpart]
    orders = sum(run.orders for run in meaningful)
    classes: Counter[str] = Counter()
    for run in meaningful:
        classes.update(run.classes())
    consistent = sum(run.verdict["judgement"] == Judgement.CONSISTENT for run in meaningful)
    bad = sum(len(run.bad) for run in meaningful)
    return Rates(
        scenario=runs[0].scenario,
        arm=runs[0].arm,
        style=runs[0].style,
        seeds=sorted(run.about["seed"] for run in runs),
        runs_consistent=proportion(consistent, len(meaningful)) if meaningful else None,
        inconsistent_orders=proportion(bad, orders) if meaningful else None,
        classes={name: proportion(k, orders) for name, k in classes.items()},
    )


def rates(rows: Sequence[RunRow]) -> list[dict[str, Any]]:
    """The same as JSON objects: a proportion is k, n and the bounds of its 95 % interval."""
    return [asdict(one) for one in rates_of(rows)]


def rates_table(rows: Sequence[RunRow]) -> Table:
    """The same for a terminal."""
    table = Table(*COLUMNS, title="Repeated runs, with 95 % intervals", title_justify="left")
    for one in rates_of(rows):
        ended = ", ".join(f"{name} {share}" for name, share in one.classes.items())
        consistent = one.runs_consistent or "no counterpart"
        table.add_row(
            one.scenario, one.arm, str(consistent), str(one.inconsistent_orders or ""), ended
        )
    return table
