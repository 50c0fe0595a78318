"""Every second address cannot be delivered to: refund, release and cancel, in that order."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="undeliverable",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="BookShipment", moment=Moment.REFUSED),)
    ),
    expects=every(2, COMPENSATED),
)
