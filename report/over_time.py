"""A run as it went: customers, orders and latencies over time, with the faults in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator

from bench.results import RunRow
from report.columns import order_rows
from report.text_table import Number, Row
from scenarios.faults.plan import DISTURBANCES, Fault, Moment
from scenarios.judge.verdict import OrderClass
from scenarios.runs.folder import read_lines

BINS = 20
MOST_ARMS = 4
MOST_DOTS = 2000
COLUMNS = ("arm", "from s", "offered per s", "accepted per s", "ended per s", "p50 latency ms")
_SHADE = "#f4b6ae"
_LINES = {"offered": ("#7d8894", "-"), "accepted": ("#8a6d1d", "--"), "ended": ("#1f7a45", "-")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One run: times in seconds since its first customer meant to come.

    `dots`: (when the customer came, latency in ms, class) of each order that ended. `shaded`: from when to when the
    coordinator was disturbed. `struck`: when other faults struck.
    """

    arm: str
    came_s: list[float]
    accepted_s: list[float]
    dots: list[tuple[float, float, str]]
    shaded: list[tuple[float, float]]
    struck: list[float]

    @property
    def ended_s(self) -> list[float]:
        """When each order ended."""
        return [at + ms / 1000 for at, ms, _ in self.dots]

    def lasted_s(self) -> float:
        """Until the last thing that happened."""
        ends = [end for _, end in self.shaded]
        return max([*self.came_s, *self.accepted_s, *self.ended_s, *ends, 0.001])


def telling_runs(rows: Sequence[RunRow]) -> list[RunRow]:
    """The runs of the scenario whose course is worth seeing: one in which the coordinator is disturbed, or else something went wrong."""
    shown = [row for row in rows if not row.no_counterpart and row.orders > 1]
    if not shown:
        return []

    def telling(row: RunRow) -> tuple[bool, int, int]:
        moments = {fault["moment"] for fault in row.about["plan"]["faults"]}
        return bool(moments & DISTURBANCES), len(row.bad), len(moments)

    scenario = max(shown, key=telling).scenario
    return [row for row in shown if row.scenario == scenario][:MOST_ARMS]


def course_of(row: RunRow) -> Course:
    """What a run folder says of it."""
    orders = list(order_rows(row))
    begun_s = min(order.line["intended_mono_s"] for order in orders)
    dots = [
        (
            order.line["intended_mono_s"] - begun_s,
            1000 * order.timing["latency_s"],
            str(order.verdict["order_class"]),
        )
        for order in orders
        if order.timing["latency_s"] is not None
    ]
    accepted = [order.line["accepted_mono_s"] for order in orders]
    shaded, struck = [], []
    for line in read_lines(row.folder / "faults.jsonl"):
        if not line["struck"] or line["at_mono_s"] is None:
            continue
        at_s = line["at_mono_s"] - begun_s
        if line["moment"] in DISTURBANCES:
            shaded.append((at_s, at_s + _lasts_s(row, line["fault"])))
        else:
            struck.append(at_s)
    return Course(
        arm=row.label,
        came_s=[order.line["intended_mono_s"] - begun_s for order in orders],
        accepted_s=[at - begun_s for at in accepted if at is not None],
        dots=dots,
        shaded=shaded,
        struck=struck,
    )


def _lasts_s(row: RunRow, number: int) -> float:
    planned = row.about["plan"]["faults"][number]
    fault = Fault(
        orders=planned["orders"],
        operation=planned["operation"],
        moment=Moment(planned["moment"]),
        for_s=planned.get("for_s"),
    )
    return float(fault.lasts_s() * row.about["policy"]["time_scale"])


def over_time(courses: Sequence[Course]) -> Figure:
    """For each run, rates above and latencies below, over the same seconds; two runs side by side."""
    until_s = 1.02 * max(course.lasted_s() for course in courses)
    across = min(2, len(courses))
    down = -(-len(courses) // across)
    figure = Figure(figsize=(max(7.0, 5.2 * across), 0.8 + 4.4 * down), layout="constrained")
    panels = figure.subplots(2 * down, across, sharex=True, squeeze=False)
    classes: dict[str, None] = {}
    most_per_s = max(max(_per_s(t, until_s)[1]) for c in courses for t in _times(c).values())
    ms = [ms for course in courses for _, ms, _ in course.dots] or [1.0]
    for number, course in enumerate(courses):
        row, column = 2 * (number // across), number % across
        rates, dots = panels[row][column], panels[row + 1][column]
        _draw_rates(rates, course, until_s)
        _draw_dots(dots, course)
        classes |= dict.fromkeys(kind for _, _, kind in course.dots)
        for axes in (rates, dots):
            for start, end in course.shaded:
                axes.axvspan(start, end, color=_SHADE, alpha=0.6, lw=0)
            axes.tick_params(labelsize=8, labelbottom=True)
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.25)
        rates.set_title(course.arm, fontsize=9)
        rates.set_ylim(0, 1.08 * most_per_s)
        dots.set_ylim(0.7 * min(ms), 1.5 * max(ms))
        dots.set_xlabel("seconds since the first customer", fontsize=8)
        if column == 0:
            rates.set_ylabel("per second", fontsize=8)
            dots.set_ylabel("latency in ms (log scale)", fontsize=8)
    if len(courses) % 2 and across == 2:
        panels[-1][1].set_visible(False)
        panels[-2][1].set_visible(False)
    panels[0][0].set_xlim(0, until_s)
    _legend(figure, courses, list(classes))
    return figure


def _draw_rates(axes: Axes, course: Course, until_s: float) -> None:
    for name, times in _times(course).items():
        edges, per_s = _per_s(times, until_s)
        colour, line = _LINES[name]
        axes.stairs(per_s, edges, color=colour, ls=line, lw=1.6)
    if course.struck:  # an empty line that is not clipped spoils the layout
        at_foot = [0] * len(course.struck)
        axes.plot(course.struck, at_foot, "|", color="#98140f", ms=9, clip_on=False)


def _times(course: Course) -> dict[str, list[float]]:
    return {"offered": course.came_s, "accepted": course.accepted_s, "ended": course.ended_s}


def _per_s(times: Sequence[float], until_s: float) -> tuple[np.ndarray, np.ndarray]:
    counts, edges = np.histogram(times, bins=BINS, range=(0, until_s))
    return edges, counts / (edges[1] - edges[0])


def _draw_dots(axes: Axes, course: Course) -> None:
    step = -(-len(course.dots) // MOST_DOTS) or 1
    for kind in dict.fromkeys(kind for _, _, kind in course.dots):
        mine = [(at, ms) for at, ms, k in course.dots if k == kind][::step]
        axes.plot([at for at, _ in mine], [ms for _, ms in mine], ".", ms=5, color=_COLOUR[kind])
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 3.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:g}"))
    axes.minorticks_off()


_COLOUR: dict[str, str] = {
    OrderClass.COMMITTED: "#1b6ca8",
    OrderClass.COMPENSATED: "#5fb0dd",
    OrderClass.REJECTED: "#8a949f",
    OrderClass.LATE: "#b8890b",
    OrderClass.PARKED: "#df7f20",
    OrderClass.STUCK_IN_THE_OPEN: "#9621fb",
    OrderClass.STUCK: "#b3261e",
    OrderClass.HALF_DONE: "#7b2d59",
    OrderClass.DUPLICATED: "#2b1042",
}
"""Dots are small: paler classes are darker here than as areas."""


def _legend(figure: Figure, courses: Sequence[Course], classes: Sequence[str]) -> None:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colour, ls=line, label=f"{name} per second")
        for name, (colour, line) in _LINES.items()
    ]
    handles += [Line2D([], [], color=_COLOUR[k], marker=".", ls="", label=k) for k in classes]
    if any(course.shaded for course in courses):
        handles.append(Patch(color=_SHADE, alpha=0.6, label="coordinator disturbed"))
    if any(course.struck for course in courses):
        handles.append(Line2D([], [], color="#98140f", marker="|", ls="", label="a fault struck"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False, fontsize=8)


def lines(courses: Sequence[Course]) -> list[Row]:
    """The same as a table, one line per run and interval."""
    until_s = 1.02 * max(course.lasted_s() for course in courses)
    found: list[Row] = []
    for course in courses:
        rates = {name: _per_s(times, until_s) for name, times in _times(course).items()}
        edges = rates["offered"][0]
        for i in range(BINS):
            ms = [ms for at, ms, _ in course.dots if edges[i] <= at < edges[i + 1]]
            found.append(
                (
                    course.arm,
                    Number(float(edges[i]), 2),
                    *(Number(float(per_s[i])) for _, per_s in rates.values()),
                    Number(float(np.median(ms)) if ms else None),
                )
            )
    return found
