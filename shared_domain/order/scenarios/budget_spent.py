"""Payment never answers for every fourth order: the retry budget is spent, the outcome unknown,
so payment itself is compensated too, then the steps before it.
"""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="budget_spent",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 4}, operation="ChargePayment", moment=Moment.HANG, attempts="all"
            ),
        )
    ),
    expects=every(4, COMPENSATED),
)
