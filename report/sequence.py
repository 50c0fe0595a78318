"""One saga in both styles, side by side: every row it left in the four ledgers, over time."""

from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.results import RunRow
from report.charts import STYLE_LOOK
from scenarios.verdict import OrderClass
from shared_domain.participants import NAMES

_LOOK = {
    "done": ("o", "#2a7f4f"),
    "refused": ("X", "#c0392b"),
    "undone": ("s", "#8fc7e8"),
    "tombstone": ("P", "#7f8c8d"),
    "kept": ("D", "#e08a2e"),
    "gave up": ("v", "#8e2a5b"),
}
_INTERESTING = (
    "refund_flaky",
    "undeliverable",
    "budget_spent",
    "card_declined",
    "out_of_stock",
    "lost_reply",
)


def telling_order(runs: list[RunRow]) -> tuple[list[RunRow], str] | None:
    """The runs of one scenario and an order in them worth looking at: one that was compensated if there is one."""
    by_name: dict[str, list[RunRow]] = {}
    for run in runs:
        by_name.setdefault(run.scenario, []).append(run)
    names = [n for n in _INTERESTING if n in by_name] or list(by_name)
    best = max(names, key=lambda n: (len({run.style for run in by_name[n]}), -names.index(n)))
    chosen = list({run.style: run for run in by_name[best]}.values())  # the newest of each style
    common = set.intersection(*({v["order_id"] for v in run.verdict["orders"]} for run in chosen))
    verdicts = [v for v in chosen[0].verdict["orders"] if v["order_id"] in common]
    if not verdicts:
        return None
    compensated = [v for v in verdicts if v["order_class"] != OrderClass.COMMITTED]
    return chosen, str((compensated or verdicts)[0]["order_id"])


def timeline(runs: list[RunRow], order_id: str) -> Figure:
    """The order's ledger rows in each run: a lane per participant, time from the intended start in ms."""
    figure = Figure(figsize=(11, 4.1), layout="constrained")
    panels = figure.subplots(1, len(runs), sharex=True, sharey=True, squeeze=False)[0]
    seen: set[str] = set()
    for axes, run in zip(panels, runs, strict=True):
        rows = run.ledger(order_id)
        start = run.order(order_id)["intended_mono_s"]
        _lanes(axes, rows, start, seen)
        order_class = next(
            v["order_class"] for v in run.verdict["orders"] if v["order_id"] == order_id
        )
        colour, _ = STYLE_LOOK.get(run.style, ("#333333", "-"))
        axes.set_title(f"{run.style}: {order_class}", color=colour, fontsize=10)
        axes.set_xlabel("ms since the customer came", fontsize=9)
        axes.grid(axis="x", alpha=0.25)
    handles = [
        panels[0].plot([], [], ls="", marker=marker, color=colour, label=effect)[0]
        for effect, (marker, colour) in _LOOK.items()
        if effect in seen
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    figure.suptitle(f"{runs[0].scenario}, {order_id}: what the four ledgers say", fontsize=11)
    return figure


def _lanes(axes: Axes, rows: list[dict[str, Any]], start: float, seen: set[str]) -> None:
    lanes = {name: -lane for lane, name in enumerate(NAMES)}
    axes.set_yticks(list(lanes.values()), list(lanes))
    axes.set_ylim(-len(NAMES) + 0.35, 0.65)
    points = [(1000 * (row["mono_s"] - start), lanes[row["participant"]]) for row in rows]
    for (x0, y0), (x1, y1) in pairwise(points):
        axes.annotate(
            "", (x1, y1), (x0, y0), arrowprops={"arrowstyle": "->", "color": "#9aa3ad", "lw": 0.9}
        )
    for number, (row, (x, y)) in enumerate(zip(rows, points, strict=True)):
        marker, colour = _LOOK[row["effect"]]
        seen.add(row["effect"])
        axes.plot(x, y, marker=marker, color=colour, markersize=9, zorder=3)
        above = number % 2 == 0
        axes.annotate(
            row["operation"],
            (x, y),
            textcoords="offset points",
            xytext=(9, 5 if above else -12),
            ha="left",
            fontsize=7.5,
        )
    axes.margins(x=0.27)
