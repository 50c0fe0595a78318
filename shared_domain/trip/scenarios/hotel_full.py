"""Every second traveller wants a hotel that is full: nothing is held anywhere."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="hotel_full",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="ReserveHotel", moment=Moment.REFUSED),)
    ),
    expects=every(2, COMPENSATED),
)
