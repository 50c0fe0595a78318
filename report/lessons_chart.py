"""The share of orders hurt without safeguards, without one, and with all: a group of bars per scenario."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from bench.arms import guards_in_words
from report.lessons import Arm
from scenarios.styles.index import STYLES

_BAR = 0.38


def hurt_bars(arms: Sequence[Arm]) -> Figure:
    """A line for each scenario and its safeguards, a bar for each style; nobody hurt is a dot at zero."""
    lines = list(dict.fromkeys((arm.scenario, str(arm.guards)) for arm in arms))
    figure = Figure(figsize=(9, 1.1 + 0.42 * len(lines)), layout="constrained")
    axes = figure.subplots()
    names = list(dict.fromkeys(arm.style for arm in arms))
    for arm in arms:
        at = lines.index((arm.scenario, str(arm.guards)))
        _bar(axes, arm, at + _BAR * (names.index(arm.style) - (len(names) - 1) / 2))
    labels = [
        f"{scenario}: {guards_in_words(guards)}" if _first(lines, at) else guards_in_words(guards)
        for at, (scenario, guards) in enumerate(lines)
    ]
    for at in range(1, len(lines)):
        if _first(lines, at):
            axes.axhline(at - 0.5, color="#d5dae0", lw=0.8)
    axes.set_yticks(range(len(lines)), labels, fontsize=9)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_xlim(-0.01, 1.08 * max([0.1, *(arm.hurt / arm.orders for arm in arms)]))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel(
        "orders that ended inconsistent, or whose customer saw a false status", fontsize=9
    )
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.3)
    patches = [Patch(color=STYLES[name].look.colour, label=name) for name in names]
    figure.legend(handles=patches, loc="outside upper center", ncols=len(names), frameon=False)
    return figure


def _bar(axes: Axes, arm: Arm, at: float) -> None:
    colour = STYLES[arm.style].look.colour
    if arm.hurt:
        axes.barh(at, arm.hurt / arm.orders, height=_BAR, color=colour)
    else:
        axes.plot([0], [at], "o", color=colour, ms=4, clip_on=False)
    if arm.hurt or arm.laws:
        text = f" {arm.hurt} of {arm.orders}" if arm.hurt else "   a law is broken"
        axes.text(arm.hurt / arm.orders, at, text, va="center", fontsize=8)


def _first(lines: Sequence[tuple[str, str]], at: int) -> bool:
    return at == 0 or lines[at][0] != lines[at - 1][0]
