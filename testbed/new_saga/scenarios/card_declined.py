"""Every second card is declined: the item is free again, the order is cancelled."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="card_declined",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="TakeMoney", moment=Moment.REFUSED),)
    ),
    expects=every(2, COMPENSATED),
)
