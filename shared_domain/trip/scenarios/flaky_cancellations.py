"""Every trip is turned back by the airline, and three of its compensations fail four times in ten: retries carry almost all of them home.

A compensation that fails at all four attempts (0.4 to the fourth power, one in 39) leaves its trip to an operator.
"""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, PARKED, Scenario

SHARE = 0.4
_FLAKY = ("ReturnPayment", "CancelFlight", "CancelHotel")

SCENARIO = Scenario(
    name="flaky_cancellations",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders="all", operation="ConfirmFlight", moment=Moment.REFUSED),
            *(
                Fault(
                    orders="all",
                    operation=operation,
                    moment=Moment.ERROR,
                    attempts={"share": SHARE},
                )
                for operation in _FLAKY
            ),
        )
    ),
    expects=lambda i: COMPENSATED | PARKED,
)
