"""Repeated runs of the same scenario and style as one line: rates with their intervals, never a bare percentage."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from bench.latency import proportion
from bench.results import RunRow
from scenarios.judge.verdict import BAD, Judgement

COLUMNS = ("scenario", "style", "runs consistent", "inconsistent orders", "orders ended as")


def rates(rows: Sequence[RunRow]) -> list[dict[str, Any]]:
    """One object per scenario and style, in the order in which they first ran by name of scenario.

    The intervals take orders as independent; those of one run share a machine and a coordinator, so `runs_consistent`,
    which takes runs as units, is the one to lean on.
    """
    groups: dict[tuple[str, str], list[RunRow]] = {}
    for row in sorted(rows, key=lambda row: (row.scenario, row.style)):
        groups.setdefault((row.scenario, row.style), []).append(row)
    found = []
    for (scenario, style), runs in groups.items():
        if all(run.no_counterpart for run in runs):
            told = {"runs_consistent": "no counterpart", "inconsistent_orders": "", "classes": {}}
            seeds = sorted(run.about["seed"] for run in runs)
            found.append({"scenario": scenario, "style": style, "seeds": seeds, **told})
            continue
        classes: Counter[str] = Counter()
        for run in runs:
            classes.update(run.classes())
        orders = sum(run.orders for run in runs)
        consistent = sum(run.verdict["judgement"] == Judgement.CONSISTENT for run in runs)
        bad = sum(
            order["order_class"] in BAD or order["lied"]
            for run in runs
            for order in run.verdict["orders"]
        )
        found.append(
            {
                "scenario": scenario,
                "style": style,
                "seeds": sorted(run.about["seed"] for run in runs),
                "runs_consistent": str(proportion(consistent, len(runs))),
                "inconsistent_orders": str(proportion(bad, orders)),
                "classes": {name: str(proportion(k, orders)) for name, k in classes.items()},
            }
        )
    return found


def rates_table(rows: Sequence[RunRow]) -> Table:
    """The same for a terminal."""
    table = Table(*COLUMNS, title="Repeated runs, with 95 % intervals", title_justify="left")
    for line in rates(rows):
        ended = ", ".join(f"{name} {text}" for name, text in line["classes"].items())
        table.add_row(
            line["scenario"],
            line["style"],
            line["runs_consistent"],
            line["inconsistent_orders"],
            ended,
        )
    return table
