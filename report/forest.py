"""How two styles' medians compare, scenario by scenario, with the interval of each ratio: a forest plot."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from bench.results import RunRow
from report.saga_in_run import with_counterparts
from report.text_table import Number, Row
from scenarios.styles.index import STYLES

RESAMPLES = 2000
SEED = 1
LEAST_ORDERS = 6
"""Fewer pairs of orders give no 95 % interval of a median."""
COLUMNS = ("scenario", "arm", "orders in both", "ratio of medians", "95 % from", "95 % to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The first style's median latency over the second's, over the same customers, with its bootstrap interval."""

    scenario: str
    arm: str
    orders: int
    ratio: float
    low: float
    high: float

    @property
    def says(self) -> str:
        """`less`, `more` or `neither`: whether the interval is on one side of 1."""
        if self.high < 1:
            return "less"
        return "more" if self.low > 1 else "neither"

    def line(self) -> Row:
        """As a line of COLUMNS."""
        return (self.scenario, self.arm, self.orders, *(Number(x, 2) for x in (self.ratio, self.low, self.high)))  # fmt: skip


def ratios(rows: Sequence[RunRow]) -> list[Ratio]:
    """One for each pair of comparable runs that differ in their style alone."""
    first, second = list(STYLES)[:2]
    # An order that was done twice ends when it was done last.
    comparable = [row for row in rows if row.comparable and not row.bad]
    found = []
    for row in comparable:
        if row.style != first:
            continue
        pair = {run.style: run for run in with_counterparts(row, comparable)}
        if second in pair and (ratio := _ratio(row, pair[second])):
            found.append(ratio)
    return found


def _latencies(row: RunRow) -> dict[str, float]:
    lines = row.verdict["timing"]["orders"]
    return {t["order_id"]: t["latency_s"] for t in lines if t["latency_s"] is not None}


def _ratio(one: RunRow, other: RunRow) -> Ratio | None:
    a, b = _latencies(one), _latencies(other)
    both = sorted(a.keys() & b.keys())
    if len(both) < LEAST_ORDERS:
        return None
    left, right = (np.asarray([of[order_id] for order_id in both]) for of in (a, b))
    drawn = np.random.default_rng(SEED).integers(0, len(both), (RESAMPLES, len(both)))
    resampled = np.median(left[drawn], axis=1) / np.median(right[drawn], axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Ratio(
        scenario=one.scenario,
        arm=", ".join(filter(None, (one.variation, one.number))),
        orders=len(both),
        ratio=float(np.median(left) / np.median(right)),
        low=float(low),
        high=float(high),
    )


def in_words(found: Sequence[Ratio]) -> str:
    """The answer, in a sentence."""
    first, second = list(STYLES)[:2]
    n = {kind: sum(ratio.says == kind for ratio in found) for kind in ("less", "more", "neither")}
    return (
        f"Of {len(found)} pairs of runs the median order took less time in {first} in {n['less']} and in {second} in"
        f" {n['more']}; in {n['neither']} the interval of the ratio contains 1, so these runs show no difference."
    )


def forest_plot(found: Sequence[Ratio]) -> Figure:
    """A line per pair of runs: the ratio, and its interval; left of 1 the first style is faster."""
    first, second = list(STYLES)[:2]
    figure = Figure(figsize=(9, 1.3 + 0.27 * len(found)), layout="constrained")
    axes = figure.subplots()
    for at, one in enumerate(found):
        colour = {
            "less": STYLES[first].look.colour,
            "more": STYLES[second].look.colour,
            "neither": "#7d8894",
        }[one.says]
        axes.plot([one.low, one.high], [-at, -at], color=colour, lw=2, solid_capstyle="butt")
        axes.plot(one.ratio, -at, marker="s", ms=5, color=colour)
    axes.axvline(1, color="#1c2430", lw=0.8)
    names = [": ".join(filter(None, (one.scenario, one.arm))) for one in found]
    axes.set_yticks([-at for at in range(len(found))], names, fontsize=8)
    axes.set_xscale("log")
    widest = 1.08 * max([2.0, *(max(one.high, 1 / one.low) for one in found)])
    axes.set_xlim(1 / widest, widest)
    axes.set_ylim(-len(found) + 0.4, 0.6)
    marks = [x for x in (0.1, 0.2, 0.5, 0.7, 1, 1.4, 2, 5, 10) if 1 / widest <= x <= widest]
    axes.set_xticks(marks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel(
        f"median in {first} over median in {second}, log scale (left of 1: {first} took less)", fontsize=8
    )  # fmt: skip
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure
