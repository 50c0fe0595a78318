"""Every second trip is turned back by the hotel, and the airline fails to cancel its seats the first two times."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="cancellation_fails_twice",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders={"every": 2}, operation="ConfirmHotel", moment=Moment.REFUSED),
            Fault(
                orders={"every": 2}, operation="CancelFlight", moment=Moment.ERROR, attempts=(1, 2)
            ),
        )
    ),
    expects=every(2, COMPENSATED),
)
