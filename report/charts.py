"""The charts of a comparison, as matplotlib figures: outcomes, latency, one saga's timeline."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator

from bench.results import RunRow
from scenarios.verdict import OrderClass

COLOUR = {
    OrderClass.COMMITTED: "#2a7f4f",
    OrderClass.COMPENSATED: "#8fc7e8",
    OrderClass.REJECTED: "#c9ced6",
    OrderClass.LATE: "#f0c75e",
    OrderClass.PARKED: "#e08a2e",
    OrderClass.STUCK: "#c0392b",
    OrderClass.HALF_DONE: "#8e2a5b",
    OrderClass.DUPLICATED: "#4b1d6b",
}
STYLE_LOOK = {"choreography": ("#b4551d", "-"), "orchestration": ("#1d4f91", "--")}
_COLUMNS = 4
# The same bytes for the same figure, and texts that stay texts.
_SVG: Any = {"svg.hashsalt": "saga", "svg.fonttype": "none"}


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write `name`.png and `name`.svg; their paths."""
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once, not once for each file
    with matplotlib.rc_context(_SVG):
        figure.savefig(png, dpi=120)
        figure.savefig(svg, metadata={"Date": None})
    return png, svg


def by_scenario(rows: list[RunRow]) -> dict[str, list[RunRow]]:
    """Runs grouped by story, in the order in which they were made."""
    groups: dict[str, list[RunRow]] = {}
    for row in rows:
        groups.setdefault(row.scenario, []).append(row)
    return groups


def outcome_bars(rows: list[RunRow]) -> Figure:
    """What became of the orders: one bar per scenario and style, as shares of its orders."""
    groups = by_scenario(rows)
    figure = Figure(figsize=(10, 0.9 + 0.24 * len(rows) + 0.15 * len(groups)), layout="constrained")
    axes = figure.subplots()
    at, ticks, names = 0.0, [], []
    for scenario, runs in groups.items():
        for run in runs:
            _stack(axes, at, run)
            ticks.append(at)
            names.append(f"{scenario}   {run.style}" if run is runs[0] else run.style)
            at -= 1
        at -= 0.6
    axes.set_yticks(ticks, names, fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_ylim(at + 0.8, 0.7)
    axes.set_xticks(np.linspace(0, 1, 5), ["0 %", "25 %", "50 %", "75 %", "100 % of orders"])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    shown = {name for run in rows for name in run.classes()}
    patches = [Patch(color=c, label=str(name)) for name, c in COLOUR.items() if name in shown]
    figure.legend(handles=patches, loc="outside upper center", ncols=len(patches), frameon=False)
    return figure


def _stack(axes: Axes, at: float, run: RunRow) -> None:
    if run.no_counterpart:
        axes.text(
            0.01, at, "no counterpart in this style", va="center", fontsize=7, color="#555555"
        )
        return
    left = 0.0
    for name, colour in COLOUR.items():
        k = run.classes().get(name, 0)
        if not k:
            continue
        share = k / run.orders
        axes.barh(at, share, left=left, color=colour, height=0.85, edgecolor="white", linewidth=0.5)
        light = name in (OrderClass.COMPENSATED, OrderClass.REJECTED, OrderClass.LATE)
        axes.text(
            left + share / 2,
            at,
            f"{k} of {run.orders}",
            ha="center",
            va="center",
            fontsize=7,
            color="black" if light else "white",
        )
        left += share


def latency_ecdf(rows: list[RunRow]) -> Figure | None:
    """How long orders took: one panel per scenario, one curve per style; None if nothing is comparable."""
    groups = by_scenario([row for row in rows if row.comparable and row.times("latency_s")])
    if not groups:
        return None
    columns = min(_COLUMNS, len(groups))
    lines = -(-len(groups) // columns)
    figure = Figure(figsize=(2.9 * columns + 0.6, 2.1 * lines + 0.9), layout="constrained")
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for axes, (scenario, runs) in zip(_each(panels), groups.items(), strict=False):
        for run in runs:
            colour, line = STYLE_LOOK.get(run.style, ("#555555", ":"))
            axes.ecdf(
                [1000 * t for t in run.times("latency_s")], color=colour, ls=line, label=run.style
            )
        axes.set_title(scenario, fontsize=9)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0,)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:g}"))
        axes.minorticks_off()
        axes.tick_params(labelbottom=True)
        axes.grid(alpha=0.25)
        axes.tick_params(labelsize=7)
    for axes in list(_each(panels))[len(groups) :]:
        axes.set_visible(False)
    figure.supxlabel(
        "latency in ms, intended start to the order's last row (log scale)", fontsize=9
    )
    figure.supylabel("share of ended orders", fontsize=9)
    shown = {
        label: handle
        for axes in _each(panels)
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(shown.values()), list(shown), loc="outside upper center", ncols=2, frameon=False
    )
    return figure


def _each(panels: np.ndarray) -> Iterator[Axes]:
    yield from panels.flat
