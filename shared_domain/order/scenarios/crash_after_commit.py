"""Payment dies after it has committed and before it answers, at every tenth order."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMMITTED, Scenario

SCENARIO = Scenario(
    name="crash_after_commit",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 10}, operation="ChargePayment", moment=Moment.CRASH_AFTER_COMMIT
            ),
        )
    ),
    expects=lambda i: COMMITTED,
)
