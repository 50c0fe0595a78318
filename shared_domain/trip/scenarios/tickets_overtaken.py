"""The request for the tickets is on its way so long that its withdrawal overtakes it: no ticket may be issued any more."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, LATE, Scenario, every

SCENARIO = Scenario(
    name="tickets_overtaken",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 4},
                operation="ConfirmFlight",
                moment=Moment.REQUEST_REORDERED,
                attempts="all",
            ),
        )
    ),
    # In the choreography nothing but the saga's deadline ends such a saga, so it ends after it.
    expects=every(4, COMPENSATED | LATE),
)
