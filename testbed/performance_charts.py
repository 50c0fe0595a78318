"""The charts of docs/performance.md, drawn from the tables beside it: ratios with their 95 % intervals."""

import csv
import re
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

DATA = Path(__file__).parents[1] / "docs" / "data" / "performance"
CHARTS = (
    ("floor_and_peers_2", "throughput at 64 in flight", "sagas a second with 64 in flight, first by second (above 1: the first carries more)"),
    ("floor_and_peers_2", "p50 alone", "median time alone, first by second (above 1: the first is slower)"),
    ("latency_2", "p50", "median latency of the same customers, first by second (above 1: the first is slower)"),
)  # fmt: skip
"""Table, its column, and what the axis means."""
_CELL = re.compile(r"([\d.]+) \(([\d.]+)-([\d.]+)\)")


def file_of(table: str, column: str) -> str:
    """The chart's file name."""
    return f"{table}_{re.sub('[^a-z0-9]+', '_', column.lower())}.svg"


def ratios_of(table: str, column: str) -> list[tuple[str, float, float, float]]:
    """(pair, estimate, least, most) of each line that has an interval in this column."""
    with (DATA / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [(row["pair"], _CELL.match(row[column])) for row in rows]
    return [(pair, *(float(n) for n in cell.groups())) for pair, cell in found if cell]  # type: ignore[misc]


def draw(table: str, column: str, meaning: str) -> Figure:
    """A point with its interval for each pair, on a log scale, the line of equality in the middle."""
    ratios = ratios_of(table, column)
    figure = Figure(figsize=(8.5, 0.9 + 0.3 * len(ratios)), layout="constrained")
    axes = figure.subplots()
    for at, (_, estimate, least, most) in enumerate(ratios):
        axes.plot([least, most], [at, at], color="#1b4f8f", lw=2)
        axes.plot([estimate], [at], "o", color="#1b4f8f", ms=5)
        axes.annotate(f"{estimate:g}", (most, at), xytext=(6, -3), textcoords="offset points", fontsize=8)  # fmt: skip
    axes.axvline(1, color="#888", lw=1)
    axes.set_yticks(range(len(ratios)), [pair for pair, *_ in ratios], fontsize=8)
    axes.set_ylim(len(ratios) - 0.5, -0.5)
    axes.set_xscale("log")
    axes.set_xlim(right=1.25 * max(most for *_, most in ratios))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    axes.set_xlabel(meaning, fontsize=8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.3)
    return figure


def write_charts() -> None:
    """Draw every chart into the folder of the tables; the same bytes each time."""
    for table, column, meaning in CHARTS:
        with rc_context({"svg.hashsalt": "saga", "svg.fonttype": "path"}):
            draw(table, column, meaning).savefig(DATA / file_of(table, column), metadata={"Date": None})  # fmt: skip
