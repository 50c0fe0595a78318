"""At every second order the inventory dies once before it has done anything: a second try would have worked."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import Scenario

SCENARIO = Scenario(
    name="one_crash",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 2},
                operation="ReserveStock",
                moment=Moment.CRASH_BEFORE_COMMIT,
            ),
        )
    ),
)
