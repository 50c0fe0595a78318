"""Where the nodes of a saga's flow stand: the shape is the run's own, only the places are fixed."""

from dataclasses import dataclass, field

from kernel.orders import CONFIRMED, REJECTED
from kernel.saga import Saga


@dataclass(slots=True, kw_only=True)
class Flow:
    """A graph. `nodes`: name -> (label, colour). `edges`: (from, to) -> (label, whether the saga went this way)."""

    nodes: dict[str, tuple[str, str]] = field(default_factory=dict)
    edges: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)

    def edge(self, start: str, end: str, label: str, *, used: bool) -> None:
        """Add one, or add to one: several messages may lead the same way."""
        before, was_used = self.edges.get((start, end), ("", False))
        shown = label if used or not was_used else before
        self.edges[start, end] = (shown, used or was_used)


def places_of(saga: Saga, variant: str, flow: Flow) -> dict[str, tuple[float, float]]:
    """Node -> (column, row): steps from left to right by their stage, compensations under what they undo, ends at the sides."""
    sides = sides_of(saga, flow)
    places: dict[str, tuple[float, float]] = {}
    for number, stage in enumerate(saga.stages(variant)):
        for place, step in enumerate(stage):
            above = ((len(stage) - 1) / 2 - place) * 1.1
            places[step.name] = (2.0 * number, above)
            if step.undo:
                places[step.undo.__name__] = (2.0 * number, above - (1.6 + 0.4 * len(stage)))
    right = max(x for x, _ in places.values())
    low = min(y for _, y in places.values())
    at_the_sides = {CONFIRMED: (right + 2.0, 0.0), REJECTED: (0.0, 1.1)}
    ends = {end: at_the_sides.get(status, (-2.0, low)) for end, status in saga.ends.items()}
    fixed = places | ends
    between = [n for n in flow.nodes if n not in fixed and n not in sides]
    for name in between:
        fixed[name] = _between(name, fixed, saga, flow)
    fixed |= dict.fromkeys(sides, (right / 2 + 0.5, low - 1.3)) | {
        saga.expired.__name__: (right, low)
    }
    return {name: place for name, place in fixed.items() if name in flow.nodes}


def _between(
    name: str, places: dict[str, tuple[float, float]], saga: Saga, flow: Flow
) -> tuple[float, float]:
    """Beside what leads there, or on the way back beside what it leads to; a little higher where something stands already."""
    before = [places[start] for start, end in flow.edges if end == name and start in places]
    leads = {end for start, end in flow.edges if start == name}
    back = [places[end] for end in leads & saga.undoes.keys()]
    if any(start in saga.undoes for start, end in flow.edges if end == name):
        at = (min(x for x, _ in before) - 1.0, sum(y for _, y in before) / len(before))
    elif back and not leads & {*saga.forward}:
        at = (max(x for x, _ in back) + 1.0, sum(y for _, y in back) / len(back))
    else:
        at = (
            max((x for x, _ in before), default=0.0) + 1.0,
            sum(y for _, y in before) / max(1, len(before)),
        )
    while any(abs(at[0] - x) < 0.7 and abs(at[1] - y) < 0.4 for x, y in places.values()):
        at = (at[0], at[1] + 0.45)
    return at


def sides_of(saga: Saga, flow: Flow) -> set[str]:
    """What is neither a step, nor an end, nor between two steps: where a saga is parked, and its deadline."""
    starts = {start for start, _ in flow.edges}
    known = {*saga.answers, *saga.ends}
    return {name for name in flow.nodes if name not in known | starts} | {saga.expired.__name__}
