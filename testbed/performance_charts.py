"""The charts of docs/performance.md, drawn from the tables beside it: ratios with their 95 % intervals, and overload."""

import csv
import re
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from bench.experiment import Done
from bench.intervals import Estimate
from report.benchmark.charts import overload_chart, ratio_lines

DATA = Path(__file__).parents[1] / "docs" / "data" / "performance"
CHARTS = (
    ("floor_and_peers_2", "throughput at 64 in flight", "sagas a second with 64 in flight, first by second"),
    ("floor_and_peers_2", "p50 alone", "median time of a saga alone, first by second"),
    ("latency_2", "p50", "median latency of the same customers, first by second"),
)  # fmt: skip
"""Table, its column, and what the axis means."""
OVERLOAD = "overload_1.csv"
_CELL = re.compile(r"([\d.]+) \(([\d.]+)-([\d.]+)\)")


def file_of(table: str, column: str) -> str:
    """The chart's file name."""
    return f"{table}_{re.sub('[^a-z0-9]+', '_', column.lower())}.svg"


def ratios_of(table: str, column: str) -> list[tuple[str, Estimate]]:
    """The pair and its ratio, of each line that has an interval in this column."""
    with (DATA / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [(row["pair"], _CELL.match(row[column])) for row in rows]
    return [(pair, Estimate(*map(float, cell.groups()))) for pair, cell in found if cell]


def overloads() -> list[Done]:
    """The trials of the table of overload, as the benchmark's journal had them."""
    trials: dict[tuple[str, str], list[dict[str, float]]] = {}
    with (DATA / OVERLOAD).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            load = {name: float(row[name]) for name in ("times", "came_per_s", "good_per_s")}
            trials.setdefault((row["style"], row["round"]), []).append(load)
    return [
        Done(part="overload", arm=style, round=int(number), result={"loads": loads})
        for (style, number), loads in trials.items()
    ]


def write_charts() -> None:
    """Draw every chart into the folder of the tables; the same bytes each time."""
    figures: dict[str, Figure | None] = {
        file_of(table, column): ratio_lines(ratios_of(table, column), meaning)
        for table, column, meaning in CHARTS
    }
    figures[OVERLOAD.replace("csv", "svg")] = overload_chart(overloads())
    for name, figure in figures.items():
        assert figure is not None
        with rc_context({"svg.hashsalt": "saga", "svg.fonttype": "path"}):
            figure.savefig(DATA / name, metadata={"Date": None})
