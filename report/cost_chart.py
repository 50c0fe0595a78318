"""US dollars a month over orders a day, per platform, with the range over prices, and where a flat price becomes the lower one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from bench.cost.counts import Counts
from bench.cost.platforms import PLATFORMS, Bill, CostCase, Range, bills, break_even_per_day
from bench.cost.prices import Price

_COLOURS = ("#1b4f8f", "#4a90d9", "#b5541c", "#1f7a45", "#6b4fa0")
_SHORT = EngFormatter(places=1, sep="")
_LEAST, _MOST, _POINTS = 10.0, 1e7, 61


def cost_chart(counts: Counts, case: CostCase, prices: Mapping[str, Price]) -> Figure:
    """Log scales; a platform whose price is missing, or that cannot be used, is not drawn. Dots: break-even points."""
    days = np.geomspace(_LEAST, _MOST, _POINTS)
    each = [bills(counts, replace(case, orders_per_day=float(day)), prices) for day in days]
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    axes = figure.subplots()
    colours = iter(_COLOURS)
    for number, platform in enumerate(PLATFORMS):
        months = [row[number].per_month for row in each]
        if platform.hosts or any(month is None for month in months):
            continue
        low, high = np.array([month for month in months if month is not None]).T
        colour = next(colours)
        axes.fill_between(days, low, high, color=colour, alpha=0.25, lw=0)
        axes.plot(days, np.sqrt(low * high), color=colour, lw=2, label=platform.name)
    now = bills(counts, case, prices)
    for points, up in zip(_break_evens(now, case), (-14, 8), strict=False):
        for point, usd in points:
            axes.plot([point], [usd], "o", color="#222", ms=5, zorder=5)
            axes.annotate(_SHORT(point), (point, usd), xytext=(0, up), textcoords="offset points", fontsize=8, ha="center")  # fmt: skip
    axes.axvline(case.orders_per_day, color="#888", lw=1, ls=":")
    axes.annotate("your case", (case.orders_per_day, 1), xycoords=("data", "axes fraction"), xytext=(4, -12), textcoords="offset points", fontsize=8, color="#555")  # fmt: skip
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="orders a day (dots: from here on the flat price is the lower one)",
        ylabel="US dollars a month, coordination alone",
    )
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=9)
    return figure


def _break_evens(found: Sequence[Bill], case: CostCase) -> list[list[tuple[float, float]]]:
    """For each flat platform, the cheapest first: where it meets those that are paid by use, in the middle of both ranges."""
    paid = [bill for bill in found if not bill.platform.monthly and not bill.platform.hosts]
    flat = [(_middle(bill.per_month), bill) for bill in found if bill.platform.monthly and bill.per_month and not bill.platform.hosts]  # fmt: skip
    every = []
    for usd, other in sorted(flat, key=lambda pair: pair[0]):
        spans = [break_even_per_day(one, other, case) for one in paid]
        points = [(_middle(span), usd) for span in spans if span]
        every.append([point for point in points if _LEAST <= point[0] <= _MOST])
    return every


def _middle(span: Range) -> float:
    return float(np.sqrt(span[0] * span[1]))
