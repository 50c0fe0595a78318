"""Every second address cannot be delivered to: refund, release and cancel, in that order."""

from scenarios.fault_plan import Fault, FaultPlan, Moment
from scenarios.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="undeliverable",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="BookShipment", moment=Moment.REFUSED),)
    ),
    expects=every(2, COMPENSATED),
)
