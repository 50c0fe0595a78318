"""Every second flight is full: the room that is held already is cancelled."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="flight_full",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="ReserveFlight", moment=Moment.REFUSED),)
    ),
    expects=every(2, COMPENSATED),
)
