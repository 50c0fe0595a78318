"""A soak: thousands of orders, some refused, and one trouble after another all the time."""

from dataclasses import asdict, dataclass
from typing import Any

from scenarios.fault_plan import Fault, FaultPlan, Moment
from scenarios.run_folder import SCHEMA
from scenarios.scenario import ENDED, LATE, PARKED, Scenario

REFUSED_SHARE = 0.05
PARKED_EVERY = 200
"""Of so many orders the last one cannot be delivered and its refund never works."""


def _faults(n: int) -> FaultPlan:
    refused = [
        Fault(orders={"share": REFUSED_SHARE}, operation=operation, moment=Moment.REFUSED)
        for operation in ("ChargePayment", "BookShipment")
    ]
    last = {"every": PARKED_EVERY}
    undeliverable = Fault(orders=last, operation="BookShipment", moment=Moment.REFUSED)
    not_refunded = Fault(
        orders=last, operation="RefundPayment", moment=Moment.ERROR, attempts="all"
    )
    return FaultPlan(faults=(*refused, undeliverable, not_refunded))


SCENARIO = Scenario(
    name="soak",
    story="Orders come at a steady rate, one in ten is refused somewhere, one in 200 cannot be refunded, and"
    " something breaks all the time.",
    faults=_faults,
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
