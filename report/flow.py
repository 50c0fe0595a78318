"""The executed path of one saga over all that could have happened: the state machine, or the flow of events.

Nodes and edges come from the run's own definition, colours from its evidence. Only the places are fixed: forward steps from left
to right, and under each the compensation that undoes it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from kernel.orders import CONFIRMED
from kernel.saga import Saga
from report.flow_places import Flow, places_of, sides_of
from report.saga_in_run import SagaInRun
from scenarios.styles.index import STYLES

GREEN, RED, AMBER, GREY, WHITE = "#3f9a6b", "#98140f", "#e9b13f", "#c3cad2", "#ffffff"
_MARK = {GREEN: " ✓", RED: " ✗", AMBER: " ↩", GREY: "", WHITE: ""}
"""Also shown by a sign, for readers who cannot distinguish the colours."""
STATES = {
    GREEN: "succeeded",
    RED: "failed, refused, or wrong by the ledgers",
    AMBER: "compensated",
    WHITE: "entered: a choice",
    GREY: "not entered",
}
_INK, _FAINT = "#1c2430", "#b9c0c8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What is drawn: all ways that a saga has in a style, and as much as is known of the way that one went.

    `colours`: operation -> colour, of those that were tried. `entered`: states of the machine, in order. `went`: (message,
    operation) of every reaction. `said`: the answers. `tries`: how often an operation was tried.
    """

    saga: Saga
    style: str
    variant: str
    definition: Sequence[dict[str, Any]]
    colours: Mapping[str, str] = field(default_factory=dict)
    entered: Sequence[str] = ()
    went: Collection[tuple[str, str]] = ()
    said: Collection[str] = ()
    tries: Mapping[str, int] = field(default_factory=dict)


def walk_of(saga: SagaInRun) -> Walk:
    """The way that a saga went, from its evidence and, where they show damage, its ledgers."""
    calls = saga.timeline.calls
    return Walk(
        saga=saga.saga,
        style=saga.row.style,
        variant=saga.row.about["step_order"],
        definition=saga.evidence["definition"],
        colours=_colours(saga),
        entered=[
            event["stateEnteredEventDetails"]["name"]
            for history in saga.evidence.get("histories", [])
            for event in history["events"]
            if event["type"].endswith("StateEntered")
        ],
        went={(call.cause, call.operation) for call in calls},
        said={call.answer for call in calls},
        tries=saga.tries,
    )


def flow_of(walk: Walk) -> Flow:
    """The graph, of whatever style its definition is."""
    return _machine(walk) if STYLES[walk.style].conducted else _events(walk)


def _colours(saga: SagaInRun) -> dict[str, str]:
    """Operation -> colour, of those that were tried, and of those that the ledgers show to be wrong."""
    timeline = saga.timeline
    found: dict[str, str] = {}
    for call in timeline.calls:
        good = call.answer == timeline.saga.answers.get(call.operation, ("",))[0]
        if call.operation in timeline.saga.undoes and call.answer and not good:
            found[call.operation] = WHITE  # it came too late, and left things as they were
            continue
        if good or found.get(call.operation) is None:
            undo = AMBER if call.operation in timeline.saga.undoes else GREEN
            found[call.operation] = undo if good else RED
    if parked := timeline.parked_now():
        found[parked] = RED
    return found | dict.fromkeys(saga.wrong, RED)


def _machine(walk: Walk) -> Flow:
    """The state machine, with the states that its history says were entered. What is in branches lies between what surrounds them."""
    flow, entered = Flow(), walk.entered

    def draw(machine: dict[str, Any], after: list[str]) -> None:
        """Its states and ways; `after`: where a branch goes on when it ends."""
        states = machine["States"]

        def begins(name: str) -> list[str]:
            inner = states[name].get("Branches", ())
            return [branch["StartAt"] for branch in inner] or [name]

        for name, state in states.items():
            nexts = [state.get("Next"), state.get("Default")]
            nexts += [rule["Next"] for rule in state.get("Catch", []) + state.get("Choices", [])]
            targets = [first for target in filter(None, nexts) for first in begins(target)]
            if branches := state.get("Branches"):
                for branch in branches:
                    draw(branch, targets)
                continue
            colour = GREY
            if name in entered:
                ends = {"Fail": AMBER if name in walk.saga.ends else RED}
                usual = {"Task": RED, "Choice": WHITE}
                done = usual.get(state["Type"], GREEN)
                colour = ends.get(state["Type"], walk.colours.get(name, done))
            flow.nodes[name] = (name, colour)
            if state.get("End") or state["Type"] == "Succeed":
                targets += after
            for target in targets:
                flow.edge(name, target, "", used=False)

    draw(walk.definition[0], [])
    for start, end in _ways(entered, flow):
        flow.edge(start, end, "", used=True)
    return flow


def _ways(entered: Iterable[str], flow: Flow) -> Iterator[tuple[str, str]]:
    """The edges that were gone: to each state that was entered, from all that had not gone on yet, or else from the last one."""
    seen: list[str] = []
    waiting: set[str] = set()
    for name in entered:
        came = [start for start in seen if (start, name) in flow.edges]
        starts = [start for start in came if start in waiting] or came[-1:]
        yield from ((start, name) for start in starts)
        waiting = waiting.difference(starts) | {name}
        seen.append(name)


def _events(walk: Walk) -> Flow:
    """Who reacts to what, with the events that were said and the reactions to them."""
    saga, deadline = walk.saga, walk.saga.expired.__name__
    flow = Flow()
    said_by = {
        answer: operation for operation, answers in saga.answers.items() for answer in answers
    }
    heard = {row["heard"] for row in walk.definition}
    for row in walk.definition:
        operation = row["operation"]
        flow.nodes[operation] = (
            f"{row['service']}\n{operation}",
            walk.colours.get(operation, GREY),
        )
    for row in walk.definition:
        event, operation = row["heard"], row["operation"]
        start = said_by.get(event, deadline if event == deadline else "")
        used = (event, operation) in walk.went
        if event == deadline:
            flow.nodes[deadline] = ("saga deadline", AMBER if used else GREY)
        if start:
            flow.edge(start, operation, event, used=used)
    for event, operation in said_by.items():
        if event not in heard and event in saga.ends:
            good = GREEN if saga.ends[event] == CONFIRMED else AMBER
            flow.nodes[event] = (event, good if event in walk.said else GREY)
            flow.edge(operation, event, "", used=event in walk.said)
    return flow


def flow_figure(saga: SagaInRun) -> Figure:
    """The graph of a saga: what it entered in colour, all else in grey."""
    return walk_figure(walk_of(saga))


def walk_figure(walk: Walk, *, least_inches: float = 11.0) -> Figure:
    """The same of any way. Every node has an id, `STYLE-NAME`, by which a page finds it. `least_inches`: how wide it is at least."""
    flow = flow_of(walk)
    places = places_of(walk.saga, walk.variant, flow)
    large = {*walk.saga.answers, *walk.saga.ends, *sides_of(walk.saga, flow)}
    xs, ys = [x for x, _ in places.values()], [y for _, y in places.values()]
    column, row = 0.72 * min(1.0, least_inches / 11.0), 0.82 * min(1.0, least_inches / 11.0)
    wide, high = (max(xs) - min(xs) + 2.0) * column, (max(ys) - min(ys) + 1.0) * row
    figure = Figure(
        figsize=(max(least_inches, wide), max(0.39 * least_inches, high)), layout="constrained"
    )
    axes = figure.subplots()
    axes.set_axis_off()
    boxes = {}
    for name, (x, y) in places.items():
        label, colour = flow.nodes[name]
        small = name not in large
        tries = f" {walk.tries[name]}x" if walk.tries.get(name, 0) > 1 else ""
        boxes[name] = axes.text(
            x,
            y,
            _wrapped(label) + tries + _MARK[colour],
            ha="center",
            va="center",
            fontsize=5.5 if small else 7.5,
            color="white" if colour == RED else _INK,
            gid=f"{walk.style}-{name}",
            zorder=5,
            bbox={
                "boxstyle": "round,pad=0.25" if small else "round,pad=0.4",
                "facecolor": colour,
                "edgecolor": "#8b949e" if colour == GREY else _INK,
                "linewidth": 0.7,
            },
        )
    for (start, end), (label, used) in flow.edges.items():
        if start in places and end in places:
            _arrow(axes, boxes[start], boxes[end], label, used=used)
    axes.set_xlim(min(xs) - 1.0, max(xs) + 1.0)
    axes.set_ylim(min(ys) - 0.5, max(ys) + 0.5)
    if walk.tries:
        _legend(figure, {colour for _, colour in flow.nodes.values()})
    return figure


def _legend(figure: Figure, shown: Collection[str]) -> None:
    handles: list[Any] = [
        Patch(facecolor=c, edgecolor="#8b949e", label=f"{t}{_MARK[c]}")
        for c, t in STATES.items()
        if c in shown
    ]
    handles.append(Line2D([], [], color=_INK, lw=1.8, label="the way that the saga went"))
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, fontsize=8)


def _wrapped(label: str) -> str:
    """A name in two lines, if it is one of two long words."""
    if "\n" in label or len(label) < 12:
        return label
    capitals = [i for i, c in enumerate(label) if c.isupper() and i]
    return f"{label[: capitals[0]]}\n{label[capitals[0] :]}" if capitals else label


def _arrow(axes: Axes, start: Text, end: Text, label: str, *, used: bool) -> None:
    (x0, y0), (x1, y1) = start.get_position(), end.get_position()
    far = y0 == y1 and abs(x1 - x0) > 2.1
    bend = 0.0
    if far:
        bend = -0.25 if y0 == 0 else 0.25
    axes.annotate(
        "",
        (x1, y1),
        (x0, y0),
        zorder=3 if used else 1,
        arrowprops={
            "arrowstyle": "-|>",
            "mutation_scale": 10,
            "patchA": start.get_bbox_patch(),
            "patchB": end.get_bbox_patch(),
            "shrinkA": 1,
            "shrinkB": 1,
            "connectionstyle": f"arc3,rad={bend}",
            "color": _INK if used else _FAINT,
            "linewidth": 1.8 if used else 0.6,
        },
    )
    if label and used:
        axes.text(
            (x0 + x1) / 2,
            (y0 + y1) / 2 + (0.42 if y0 == y1 else 0.0),
            label,
            ha="center",
            va="center",
            fontsize=6.5,
            color=_INK,
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
        )
