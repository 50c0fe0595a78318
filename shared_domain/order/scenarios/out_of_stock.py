"""Every second customer wants what is sold out: inventory refuses, the order is cancelled."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="out_of_stock",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="ReserveStock", moment=Moment.REFUSED),)
    ),
    expects=every(2, COMPENSATED),
)
