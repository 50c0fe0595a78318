"""Charts of times that add up: the critical path in parts, and inconsistency-seconds."""

from collections.abc import Mapping, Sequence
from statistics import median

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from bench.critical_path import PARTS
from bench.results import RunRow
from report.charts import look_of
from report.gantt import PART_COLOUR, PART_HATCH

_USUAL = 5.0
"""Widest bar that is shown whole, in medians."""
_ON_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}


def breakdown_bars(parts: Mapping[tuple[str, str], Mapping[str, float]]) -> Figure:
    """Mean ms of the critical path by part: a bar per scenario and arm, in two panels, with and without backoff.

    The second panel is as wide as a few usual bars; longer ones are cut off and say how long they are.
    """
    figure = Figure(figsize=(10, 1.3 + 0.22 * len(parts)), layout="constrained")
    whole, plain = figure.subplots(1, 2, sharey=True)
    sums = [sum(spent[part] for part in PARTS[:-1]) for spent in parts.values()]
    widest = _USUAL * median(sums)
    for axes, shown in ((whole, PARTS), (plain, PARTS[:-1])):
        for at, spent in enumerate(parts.values()):
            left = 0.0
            for part in shown:
                axes.barh(
                    -at, spent[part], left=left, color=PART_COLOUR[part], hatch=PART_HATCH[part], edgecolor="white",
                    linewidth=0.3, height=0.8,
                )  # fmt: skip
                left += spent[part]
        axes.set_xlabel("ms", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    whole.set_ylim(-len(parts) + 0.4, 0.6)
    if max(sums) > widest:
        plain.set_xlim(0, widest)
    for at, ms in enumerate(sums):
        if ms > widest:
            plain.text(widest, -at, f"{ms:,.0f} ms ", ha="right", va="center", fontsize=6.5, bbox=_ON_WHITE)  # fmt: skip
    whole.set_title("mean critical path of a saga", fontsize=9)
    plain.set_title("the same without backoff", fontsize=9)
    whole.set_yticks([-at for at in range(len(parts))], list(map(_name, parts)), fontsize=7)
    patches = [Patch(facecolor=PART_COLOUR[p], hatch=PART_HATCH[p], edgecolor="white", label=p) for p in PARTS]  # fmt: skip
    figure.legend(handles=patches, loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    return figure


def _name(key: tuple[str, str]) -> str:
    return f"{key[0]}: {key[1]}"


def inconsistency_bars(rows: Sequence[RunRow]) -> Figure:
    """Inconsistency-seconds of each run that has any (there must be one); hatched where they had not ended."""
    shown = [
        r for r in rows if r.inconsistency_s(still_open=False) or r.still_open("inconsistency")
    ]
    figure = Figure(figsize=(9, 1.1 + 0.26 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for at, row in enumerate(shown):
        colour = look_of(row.style).colour
        closed = row.inconsistency_s(still_open=False)
        axes.barh(-at, closed, color=colour, height=0.75)
        axes.barh(
            -at, row.inconsistency_s(still_open=True), left=closed, color="white", hatch="////", edgecolor=colour,
            height=0.75,
        )  # fmt: skip
    names = [f"{row.scenario}: {row.label}" for row in shown]
    axes.set_yticks([-at for at in range(len(shown))], names, fontsize=8)
    axes.set_xlabel("seconds, all orders of the run together", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
