"""Every fourth trip is turned back and its money cannot be returned: the saga is parked, the room still held,
and an operator can see it and why.
"""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import PARKED, Scenario, every

SCENARIO = Scenario(
    name="return_fails_for_ever",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders={"every": 4}, operation="ConfirmHotel", moment=Moment.REFUSED),
            Fault(
                orders={"every": 4}, operation="ReturnPayment", moment=Moment.ERROR, attempts="all"
            ),
        )
    ),
    expects=every(4, PARKED),
)
