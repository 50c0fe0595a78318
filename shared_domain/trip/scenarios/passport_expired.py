"""Every second passport has expired, which the airline sees last of all: the longest way back there is."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="passport_expired",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="ConfirmFlight", moment=Moment.REFUSED),)
    ),
    expects=every(2, COMPENSATED),
)
