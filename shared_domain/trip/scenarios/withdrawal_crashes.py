"""Every second trip is turned back by the airline, and the hotel dies in the middle of every second withdrawal:
before its commit, or after it.
"""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

TWICE = (1, 2)
"""One crash may take another order's first attempt with it."""

SCENARIO = Scenario(
    name="withdrawal_crashes",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders={"every": 2}, operation="ConfirmFlight", moment=Moment.REFUSED),
            Fault(
                orders=tuple(range(3, n, 8)),
                operation="WithdrawHotel",
                moment=Moment.CRASH_BEFORE_COMMIT,
                attempts=TWICE,
            ),
            Fault(
                orders=tuple(range(7, n, 8)),
                operation="WithdrawHotel",
                moment=Moment.CRASH_AFTER_COMMIT,
                attempts=TWICE,
            ),
        )
    ),
    expects=every(2, COMPENSATED),
)
