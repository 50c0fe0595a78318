"""Payment dies just before it commits, at every tenth order, and drops all else in its hands."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMMITTED, Scenario

SCENARIO = Scenario(
    name="crash_before_commit",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 10}, operation="ChargePayment", moment=Moment.CRASH_BEFORE_COMMIT
            ),
        )
    ),
    expects=lambda i: COMMITTED,
)
