"""The charge of every fourth order is on its way so long that its refund overtakes it: what was undone must not be done any more."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, LATE, Scenario, every

SCENARIO = Scenario(
    name="overtaken",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 4},
                operation="ChargePayment",
                moment=Moment.REQUEST_REORDERED,
                attempts="all",
            ),
        )
    ),
    # In the choreography nothing but the saga's deadline ends such a saga, so it ends after it.
    expects=every(4, COMPENSATED | LATE),
)
