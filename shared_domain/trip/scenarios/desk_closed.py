"""Every second traveller comes when the hotel's desk is closed: what was paid is returned, and all is cancelled."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="desk_closed",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="ConfirmHotel", moment=Moment.REFUSED),)
    ),
    expects=every(2, COMPENSATED),
)
