"""Payment dies after it has committed and before it answers, at every tenth order."""

from scenarios.fault_plan import Fault, FaultPlan, Moment
from scenarios.scenario import COMMITTED, Scenario

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
