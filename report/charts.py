"""The charts of a comparison, as matplotlib figures: outcomes and latency."""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator

from bench.latency import proportion
from bench.results import RunRow
from scenarios.judge.verdict import OrderClass
from scenarios.styles.index import STYLES
from scenarios.styles.style import Look

COLOUR = {
    OrderClass.COMMITTED: "#1b6ca8",
    OrderClass.COMPENSATED: "#9fd0ee",
    OrderClass.REJECTED: "#e2e5e9",
    OrderClass.LATE: "#f3d36b",
    OrderClass.PARKED: "#df7f20",
    OrderClass.STUCK_IN_THE_OPEN: "#9621fb",
    OrderClass.STUCK: "#b3261e",
    OrderClass.HALF_DONE: "#7b2d59",
    OrderClass.DUPLICATED: "#2b1042",
}
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_COLUMNS = 4
MOST_POINTS = 400
"""Of one curve."""
_NUMBERED = re.compile(r' id="[a-zA-Z0-9.]+_\d+"')
"""Ids that matplotlib numbers again in each figure: two figures of a page would have the same."""
# The same bytes for the same figure, and texts that stay texts.
_SVG: Any = {"svg.hashsalt": "saga", "svg.fonttype": "none"}


_LINES = ("-", ":", "-.", "--")
_OTHER_LOOK = Look(colour="#3f6b2f", line=":", marker="x")


def look_of(style: str) -> Look:
    """How a style is drawn; one look for all that is no style."""
    return STYLES[style].look if style in STYLES else _OTHER_LOOK


def looks_of(arms: Iterable[tuple[str, str]]) -> dict[str, Look]:
    """Arm -> its look, of (arm, style): its style's colour, paler and with another line for each further arm of the style."""
    found: dict[str, Look] = {}
    seen: Counter[str] = Counter()
    for arm, style in dict.fromkeys(arms):
        look, n = look_of(style), seen[style]
        seen[style] += 1
        white = min(0.6, 0.3 * n)
        red, green, blue = ((1 - white) * part + white for part in to_rgb(look.colour))
        line = look.line if n == 0 else _LINES[n % len(_LINES)]
        found[arm] = Look(colour=to_hex((red, green, blue)), line=line, marker=look.marker)
    return found


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write `name`.png and `name`.svg; their paths."""
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    _plain_texts(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once, not once for each file
    with matplotlib.rc_context(_SVG):
        figure.savefig(png, dpi=120)
        figure.savefig(svg, metadata={"Date": None})
    return png, svg


def inline_svg(figure: Figure, label: str) -> Markup:
    """A figure as an SVG element for a page, with a text for those who cannot see it.

    matplotlib escapes every text that it draws, so its SVG may stand in a page as it is.
    """
    text = io.StringIO()
    _plain_texts(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    with matplotlib.rc_context(_SVG):
        figure.savefig(text, format="svg", metadata={"Date": None}, transparent=False)
    return as_element(text.getvalue(), label)


def _plain_texts(figure: Figure) -> None:
    """A dollar sign in what somebody wrote begins no formula."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)


def as_element(document: str, label: str) -> Markup:
    """An SVG document as an element of a page."""
    svg = _METADATA.sub("", _NUMBERED.sub("", document[document.index("<svg") :]))
    return Markup(f'<svg role="img" aria-label="{escape(label)}"{svg.removeprefix("<svg")}')  # noqa: S704


def by_scenario(rows: list[RunRow]) -> dict[str, list[RunRow]]:
    """Runs grouped by scenario, in the order in which they were made."""
    groups: dict[str, list[RunRow]] = {}
    for row in rows:
        groups.setdefault(row.scenario, []).append(row)
    return groups


def outcome_bars(rows: list[RunRow]) -> Figure:
    """How the orders ended, as shares: a bar per scenario and arm; beside it the inconsistent ones with their interval."""
    groups = by_scenario(rows)
    figure = Figure(figsize=(11, 0.9 + 0.24 * len(rows) + 0.15 * len(groups)), layout="constrained")
    axes, beside = figure.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    at, ticks, names = 0.0, [], []
    for scenario, runs in groups.items():
        for run in runs:
            _stack(axes, at, run)
            _interval(beside, at, run)
            ticks.append(at)
            names.append(f"{scenario}: {run.label}" if run is runs[0] else run.label)
            at -= 1
        at -= 0.6
    axes.set_yticks(ticks, names, fontsize=8)
    axes.set_ylim(at + 0.8, 0.7)
    axes.set_xticks(
        np.linspace(0, 1, 5), ["0 %", "25 %", "50 %", "75 %", "100 % of orders"], fontsize=8
    )
    beside.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"], fontsize=8)
    beside.set_title("inconsistent, 95 %", fontsize=8)
    beside.grid(axis="x", alpha=0.3)
    for panel in (axes, beside):
        panel.set_xlim(0, 1)
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.tick_params(axis="y", length=0)
    shown = {name for run in rows for name in run.classes()}
    patches = [Patch(color=c, label=str(name)) for name, c in COLOUR.items() if name in shown]
    figure.legend(
        handles=patches, loc="outside upper center", ncols=len(patches), frameon=False, fontsize=8
    )
    return figure


def _interval(axes: Axes, at: float, run: RunRow) -> None:
    """The share of inconsistent orders, from the least to the most that 95 % confidence leaves."""
    if run.no_counterpart:
        return
    share = proportion(len(run.bad), run.orders)
    most = share.high_ratio if share.k else min(1.0, 3 / max(1, share.n))
    colour = COLOUR[OrderClass.STUCK] if share.k else "#7d8894"
    axes.plot([share.low_ratio, most], [at, at], color=colour, lw=2, solid_capstyle="butt")
    axes.plot(share.k / max(1, share.n), at, marker="o", ms=3.5, color=colour, clip_on=False)


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
    """How long orders took: one panel per scenario, one curve per arm; None if nothing is comparable."""
    shown = [row for row in rows if row.comparable and row.times("latency_s")]
    groups = by_scenario(shown)
    if not groups:
        return None
    looks = looks_of((row.arm, row.style) for row in shown)
    columns = min(_COLUMNS, len(groups))
    lines = -(-len(groups) // columns)
    wide, high = max(5.5, 2.55 * columns + 0.6), max(3.2, 2.1 * lines)
    figure = Figure(figsize=(wide, high + 0.9 + 0.2 * (len(looks) // 2)), layout="constrained")
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for axes, (scenario, runs) in zip(_each(panels), groups.items(), strict=False):
        for run in runs:
            look = looks[run.arm]
            ms, shares = _shares(run.times("latency_s"))
            axes.step(ms, shares, where="post", color=look.colour, ls=look.line, label=run.arm)
        axes.set_title(scenario, fontsize=9)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:g}"))
        axes.minorticks_off()
        axes.tick_params(labelbottom=True)
        axes.grid(alpha=0.25)
        axes.tick_params(labelsize=7)
    for axes in list(_each(panels))[len(groups) :]:
        axes.set_visible(False)
    figure.supxlabel("latency in ms, from intended start (log scale)", fontsize=9)
    figure.supylabel("share of ended orders", fontsize=9)
    drawn = {
        label: handle
        for axes in _each(panels)
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(drawn.values()), list(drawn), loc="outside upper center", ncols=1 if len(looks) > 2 else 2, frameon=False, fontsize=8
    )  # fmt: skip
    return figure


def _shares(times_s: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Times in ms in rising order, and the share that took at most so long; of many values only so many as can be seen."""
    ms = 1000 * np.sort(np.asarray(times_s))
    kept = np.unique(np.linspace(0, len(ms) - 1, min(len(ms), MOST_POINTS)).astype(int))
    return np.append(ms[kept], ms[-1]), np.append(kept / len(ms), 1.0)


def _each(panels: np.ndarray) -> Iterator[Axes]:
    yield from panels.flat
