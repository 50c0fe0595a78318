"""The charts of docs/performance.md, drawn from the tables beside it: ratios with their 95 % intervals."""

import csv
import re
from pathlib import Path

from matplotlib import rc_context

from bench.intervals import Estimate
from report.benchmark.charts import ratio_lines

DATA = Path(__file__).parents[1] / "docs" / "data" / "performance"
CHARTS = (
    ("floor_and_peers_2", "throughput at 64 in flight", "sagas a second with 64 in flight, first by second"),
    ("floor_and_peers_2", "p50 alone", "median time of a saga alone, first by second"),
    ("latency_2", "p50", "median latency of the same customers, first by second"),
)  # fmt: skip
"""Table, its column, and what the axis means."""
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


def write_charts() -> None:
    """Draw every chart into the folder of the tables; the same bytes each time."""
    for table, column, meaning in CHARTS:
        with rc_context({"svg.hashsalt": "saga", "svg.fonttype": "path"}):
            figure = ratio_lines(ratios_of(table, column), meaning)
            figure.savefig(DATA / file_of(table, column), metadata={"Date": None})
