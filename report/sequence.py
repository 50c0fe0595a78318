"""Who said what to whom in one saga: a sequence diagram from its calls."""

from collections import Counter
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.service_map import CONDUCTOR
from kernel.timeline import CUSTOMER
from report.saga_in_run import SagaInRun
from scenarios.styles.index import STYLES

_INK, _BAD, _GREY = "#1c2430", "#c0392b", "#8b949e"
MOST_LINES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One arrow: who said what to whom, and when. `kind`: request, answer, or failure."""

    at_s: float
    speaker: str
    hearer: str
    text: str
    kind: str


def said_in(saga: SagaInRun) -> list[Said]:
    """Every message of a saga, oldest first. In a choreography answers go to whoever reacts; otherwise to the conductor."""
    conducted = STYLES[saga.row.style].conducted
    calls = saga.timeline.calls
    said_by = {answer: call.service for call in calls if (answer := call.answer)}
    said: list[Said] = []
    tried: Counter[str] = Counter()
    if conducted:
        said.append(_said(saga.begun_s, CUSTOMER, CONDUCTOR, "place order"))
    for call in calls:
        began_s = call.began_s or call.at_s
        tried[call.operation] += 1
        again = f", try {tried[call.operation]}" if tried[call.operation] > 1 else ""
        if conducted:
            said.append(_said(began_s, CONDUCTOR, call.service, f"{call.operation}{again}"))
            kind = "answer" if call.answer and not call.failure else "failure"
            text = call.answer or _short(call.failure)
            text += " (lost on its way)" if call.answer and call.failure else ""
            said.append(_said(call.at_s, call.service, CONDUCTOR, text, kind))
            continue
        first = call.cause in (CUSTOMER, "")
        speaker = CUSTOMER if first else said_by.get(call.cause, saga.saga.opener)
        text = call.operation if first else f"{call.cause} → {call.operation}"
        text += again
        said.append(_said(began_s, speaker, call.service, text))
        if not call.answer:
            said.append(
                _said(call.at_s, call.service, call.service, _short(call.failure), "failure")
            )
        elif call.answer in saga.saga.ends:
            said.append(_said(call.at_s, call.service, call.service, call.answer, "answer"))
    if saga.parked.parked_now():
        at_s = max((one.at_s for one in said), default=saga.begun_s)
        who = CONDUCTOR if conducted else _service_of(saga)
        said.append(_said(at_s, who, who, f"parked at {saga.parked.parked_now()}", "failure"))
    at_s = max((one.at_s for one in said), default=saga.begun_s)
    told = saga.line["told"]
    if len(told) > 1:
        said.append(_said(at_s, CUSTOMER, CUSTOMER, f"asks, sees {told[-1]}", "answer"))
    if saga.line["accepted_mono_s"] is not None:
        accepted_s = max(saga.line["accepted_mono_s"] + saga.offset_s, saga.begun_s)
        said.append(_said(accepted_s, CUSTOMER, CUSTOMER, f"accepted, sees {told[0]}", "answer"))
    return sorted(said, key=lambda one: one.at_s)


def _service_of(saga: SagaInRun) -> str:
    at = saga.parked.parked_now()
    rows = saga.evidence["definition"]
    return next(
        (str(row["service"]) for row in rows if row.get("operation") == at), saga.saga.opener
    )


def _said(at_s: float, speaker: str, hearer: str, text: str, kind: str = "request") -> Said:
    return Said(at_s=at_s, speaker=speaker, hearer=hearer, text=text, kind=kind)


def _short(failure: str) -> str:
    text = " ".join(failure.split()) or "no answer"
    return text if len(text) <= 46 else text[:45] + "…"


def sequence_figure(saga: SagaInRun) -> Figure:
    """A lane per speaker, a line per message, from above; times in ms since the customer came."""
    said = said_in(saga)
    left_out, said = max(0, len(said) - MOST_LINES), said[:MOST_LINES]
    conducted = STYLES[saga.row.style].conducted
    lanes = [CUSTOMER, *([CONDUCTOR] if conducted else []), *saga.saga.services]
    figure = Figure(figsize=(9.5, 1.2 + 0.30 * (len(said) + bool(left_out))), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(-0.75, len(lanes) - 0.3)
    axes.set_ylim(-len(said) - 1.2 - bool(left_out), 0.4)
    for x, name in enumerate(lanes):
        axes.plot([x, x], [-0.4, -len(said) - 0.8], color="#cfd6dd", lw=1, zorder=0)
        axes.text(x, 0, name, ha="center", va="center", fontsize=9, weight="bold", color=_INK)
    for number, one in enumerate(said, 1):
        ms = 1000 * (one.at_s - saga.begun_s)
        axes.text(-0.7, -number, f"{ms:.1f}", fontsize=7, color=_GREY, ha="left", va="center")
        _draw(axes, saga, one, lanes.index(one.speaker), lanes.index(one.hearer), -number)
    if left_out:
        axes.text(0, -len(said) - 1, f"and {left_out} more messages", fontsize=7.5, color=_GREY)
    return figure


def _draw(axes: Axes, saga: SagaInRun, one: Said, start: int, end: int, y: float) -> None:
    refused = ", try" not in one.text and one.text.partition(" ")[0] in {
        answer for answers in saga.saga.answers.values() for answer in answers[1:]
    }
    colour = _BAD if one.kind == "failure" or refused else _INK
    if start == end:
        axes.plot(start, y, marker="x" if one.kind == "failure" else "o", color=colour, ms=5)
        leftwards = start >= 3
        axes.text(
            start + (-0.1 if leftwards else 0.1), y, one.text, fontsize=7.5, color=colour, va="center",
            ha="right" if leftwards else "left",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.9},
        )  # fmt: skip
        return
    style = {"arrowstyle": "-|>", "color": colour, "lw": 1.1, "shrinkA": 0, "shrinkB": 0}
    if one.kind != "request":
        style["linestyle"] = "--"
    axes.annotate("", (end, y), (start, y), arrowprops=style)
    axes.text(
        (start + end) / 2, y + 0.08, one.text, fontsize=7.5, color=colour, ha="center", va="bottom",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.2, "alpha": 0.75},
    )  # fmt: skip
