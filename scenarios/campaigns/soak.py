"""A soak: thousands of orders, some refused, and one trouble after another, or several at once, all the time."""

from dataclasses import asdict, dataclass
from typing import Any

from kernel.saga import Saga
from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.folder import SCHEMA
from scenarios.runs.scenario import ENDED, LATE, PARKED, Scenario

REFUSED_SHARE = 0.05
PARKED_EVERY = 200
"""Of this many orders the last one is refused at the last refusable step, and its first compensation never works."""


MOST_AT_ONCE = 3
STRUCK_EVERY = 10
"""Of this many orders the last one is struck by several faults, where several are wanted at once."""
_IN_ONE_ORDER = (Moment.REQUEST_DUPLICATED, Moment.ANSWER_LOST, Moment.ERROR)
"""What strikes the first steps of such an order, one each."""


def soak_scenario(saga: Saga, *, at_once: int = 1) -> Scenario:
    """The soak of a saga: its last two refusals, and now and then a compensation that never works.

    `at_once`: the number of faults that one order in STRUCK_EVERY meets on its way; 1 = none beyond those.
    """
    refusable = [step.name for step in saga.steps if step.refused]
    never_undone = saga.undoes_after(refusable[-1])[0]

    def faults(n: int) -> FaultPlan:
        refused = [
            Fault(orders={"share": REFUSED_SHARE}, operation=operation, moment=Moment.REFUSED)
            for operation in refusable[-2:]
        ]
        last = {"every": PARKED_EVERY}
        turned_back = Fault(orders=last, operation=refusable[-1], moment=Moment.REFUSED)
        not_undone = Fault(orders=last, operation=never_undone, moment=Moment.ERROR, attempts="all")
        return FaultPlan(faults=(*refused, turned_back, not_undone, *together))

    together = [
        Fault(orders={"every": STRUCK_EVERY}, operation=operation, moment=moment)
        for operation, moment in zip(saga.forward, _IN_ONE_ORDER[:at_once], strict=False)
        if at_once > 1
    ]
    struck = f", one in {STRUCK_EVERY} meets {at_once} faults on its way" if together else ""

    return Scenario(
        name="soak",
        description=f"Orders come at a steady rate, one in ten is refused somewhere, one in 200 cannot be undone{struck},"
        f" and {'something breaks' if at_once == 1 else f'{at_once} things break at once'} all the time.",
        faults=faults,
        expects=lambda i: ENDED | PARKED | LATE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakFigures:
    """What a soak came to, as soak.json tells it."""

    classes: dict[str, int]
    troubles: dict[str, int]
    """Name -> how often it struck."""
    longest_recovery_s: dict[str, float]
    """Name -> longest time from its end to the end of a saga accepted after it."""
    at_once: int
    """How many troubles struck at the same time."""
    struck_in_orders: int
    """Faults that struck single orders: refusals, messages, participants' errors."""
    redeliveries: int
    """Messages that came again because their ack was lost; an engine has none."""
    repeated: int
    """Requests beyond the first of the same operation and order, for whatever reason."""
    parked: int
    """Dead letters, or failed executions, that an operator can see."""
    backlog: int
    """Messages left in work queues, or executions still running, at the end."""
    lasted_s: float

    def to_json(self) -> dict[str, Any]:
        """As soak.json."""
        return {"schema": SCHEMA, **asdict(self)}


def problems_of(figures: dict[str, Any]) -> list[str]:
    """What must not be in a soak.json, beside what the judge says."""
    judged, parked = figures["classes"].get("parked", 0), figures["parked"]
    found = []
    if figures["backlog"]:
        found.append(f"{figures['backlog']} messages or executions are still at work")
    if parked != judged:
        found.append(f"{parked} sagas are parked, {judged} are judged so")
    if not figures["troubles"]:
        found.append("no trouble ever struck: place more orders, or lower --fault-every")
    return found
