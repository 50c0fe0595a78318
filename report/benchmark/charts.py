"""The charts of a benchmark: ratios, latency, saturation points, overload, growth."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from bench.experiment import Done
from bench.intervals import Estimate
from bench.parts.growth import EXECUTION, PAYLOAD
from bench.parts.load import BASE
from bench.parts.peers import AGAIN
from report.benchmark.section import Section, by_arm
from report.charts import look_of

_GREY = "#5b6470"
_MARKS = (0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 2, 3, 5)


def _log_scale(axes: Axes, which: str, *, percent: bool = False) -> None:
    """A log scale on `x` or `y`, with plain numbers."""
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis

    def text(value: float, position: int | None) -> str:
        del position
        return f"{100 * value:g} %" if percent else f"{value:g}"

    axis.set_major_formatter(FuncFormatter(text))
    axis.set_minor_formatter(NullFormatter())


def ratio_chart(ratios: Section) -> Figure | None:
    """Throughput of each pair as a point with its interval, on a log scale."""
    found = [
        (name.removesuffix(", throughput"), estimate)
        for name, estimate in ratios.estimates.items()
        if name.endswith(", throughput") and estimate.low is not None
    ]
    if not found:
        return None
    return ratio_lines(
        found, "sagas per second of the first, divided by those of the second (95 %)"
    )


def ratio_lines(found: Sequence[tuple[str, Estimate]], meaning: str) -> Figure:
    """A point with its interval for each named ratio, on a log scale, the first one on top. `meaning`: what the axis shows."""
    figure = Figure(figsize=(9, 0.42 * len(found) + 1.6), layout="constrained")
    axes = figure.subplots()
    for y, (_, estimate) in enumerate(reversed(found)):
        low, high = estimate.low or estimate.value, estimate.high or estimate.value
        axes.plot([low, high], [y, y], color="#1d4f91", linewidth=3, solid_capstyle="round")
        axes.plot(estimate.value, y, "o", color="#1d4f91")
        axes.annotate(f"{estimate.value:.3g}", (estimate.value, y), (0, 7), textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axes.axvline(1.0, color=_GREY, linewidth=1, linestyle="--")
    _log_scale(axes, "x")
    axes.set_yticks(range(len(found)), [name for name, _ in reversed(found)])
    axes.set_ylim(-0.6, len(found) - 0.2)
    least, most = axes.get_xlim()
    if most < 10 * least:  # else there are decades to read by
        axes.set_xticks([mark for mark in _MARKS if least <= mark <= most])
    axes.set_xlabel(meaning)
    axes.grid(visible=True, axis="x", alpha=0.3)
    return figure


def latency_chart(done: Iterable[Done]) -> Figure | None:
    """Of the base mix: the share of sagas that took longer, one panel per rate."""
    by_name = sorted(by_arm(done).items())
    arms = [r for _, r in by_name if next(iter(r.values()))["mix"] == BASE]
    rates = sorted({next(iter(rounds.values()))["rate_per_s"] for rounds in arms})
    if not rates:
        return None
    figure = Figure(figsize=(9, 4), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(rates), sharey=True))
    for axes, rate in zip(panels, rates, strict=True):
        for rounds in arms:
            result = next(iter(rounds.values()))
            if result["rate_per_s"] != rate:
                continue
            times = np.sort(np.concatenate([r["latency_s"] for r in rounds.values()])) * 1000
            look = look_of(result["style"])
            colour, line = look.colour, look.line
            again = AGAIN in result["label"]
            longer = 1 - np.arange(len(times)) / len(times)
            axes.plot(times, longer, line, color=colour, linewidth=1 if again else 2, alpha=0.55 if again else 1, label=result["label"])  # fmt: skip
        _log_scale(axes, "x")
        _log_scale(axes, "y", percent=True)
        axes.set_title(f"{rate:g} customers per second", fontsize=10)
        axes.set_xlabel("ms from the intended start")
        axes.grid(visible=True, alpha=0.3)
    panels[0].set_ylabel("share of sagas that took longer")
    panels[0].legend(fontsize=8)
    return figure


def saturation_chart(done: Iterable[Done]) -> Figure | None:
    """Ended against offered, and the latency that goes with it."""
    arms = by_arm(done)
    if not arms:
        return None
    figure = Figure(figsize=(9, 4), layout="constrained")
    rate_axes, time_axes = figure.subplots(1, 2)
    most = 0.0
    for style, rounds in sorted(arms.items()):
        look = look_of(style)
        colour, line = look.colour, look.line
        for number, result in rounds.items():
            steps = result["steps"]
            offered = [s["came_per_s"] for s in steps]
            most = max(most, *offered)
            label = style if number == min(rounds) else None
            rate_axes.plot(offered, [s["ended_per_s"] for s in steps], line, marker=".", color=colour, label=label)  # fmt: skip
            time_axes.plot(offered, [s["latency_ms"]["p50"] for s in steps], line, marker=".", color=colour, label=label)  # fmt: skip
    rate_axes.plot([0, most], [0, most], color=_GREY, linewidth=1)
    rate_axes.annotate("as many end as come", (most * 0.55, most * 0.55), (-6, 6), textcoords="offset points", ha="right", fontsize=8, color=_GREY)  # fmt: skip
    rate_axes.set_ylabel("sagas that ended per second")
    time_axes.set_ylabel("median latency, ms")
    _log_scale(time_axes, "y")
    for axes in (rate_axes, time_axes):
        axes.set_xlabel("customers per second")
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize=8)
    return figure


def overload_chart(done: Iterable[Done]) -> Figure | None:
    """What ended well against what came, at and beyond the saturation point."""
    arms = by_arm(done)
    if not arms:
        return None
    figure = Figure(figsize=(7.5, 4.4), layout="constrained")
    axes = figure.subplots()
    most = 0.0
    for style, rounds in sorted(arms.items()):
        look = look_of(style)
        for number, result in rounds.items():
            offered = [load["came_per_s"] for load in result["loads"]]
            most = max(most, *offered)
            label = style if number == min(rounds) else None
            axes.plot(offered, [load["good_per_s"] for load in result["loads"]], look.line, marker="o", color=look.colour, label=label)  # fmt: skip
    axes.plot([0, most], [0, most], color=_GREY, linewidth=1)
    axes.annotate("as many end as come", (most * 0.45, most * 0.45), (-6, 6), textcoords="offset points", ha="right", fontsize=8, color=_GREY)  # fmt: skip
    axes.set(xlabel="customers per second", ylabel="sagas that ended well per second", ylim=(0, None), xlim=(0, None))  # fmt: skip
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def growth_chart(done: Iterable[Done]) -> Figure | None:
    """CPU per saga over each thing that grows."""
    found: dict[str, dict[str, list[list[float]]]] = {}
    for trial in done:
        of: dict[str, Any] = trial.result
        found.setdefault(of["over"], {}).setdefault(of["contender"], []).extend(of["points"])
    if not found:
        return None
    figure = Figure(figsize=(10, 7), layout="constrained")
    for axes, (over, contenders) in zip(
        figure.subplots(2, 2).flat, sorted(found.items()), strict=False
    ):
        for contender, points in contenders.items():
            look = look_of(contender.partition(",")[0])
            colour, line = look.colour, look.line
            xs = sorted({x for x, _ in points})
            means = [np.mean([y for x, y in points if x == at]) for at in xs]
            axes.plot(xs, means, line, color=colour, label=contender)
            axes.plot([x for x, _ in points], [y for _, y in points], ".", color=colour, alpha=0.4)
        axes.set_xlabel(over)
        axes.set_ylabel("CPU ms per transition" if over == EXECUTION else "CPU ms per saga")
        axes.set_ylim(bottom=0)
        if over != PAYLOAD:
            _log_scale(axes, "x")
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize=8)
    return figure
