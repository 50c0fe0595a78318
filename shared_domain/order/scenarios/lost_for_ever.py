"""No request to inventory ever arrives for every fourth order: the broker redelivers until its limit, an engine retries until
its budget is spent; then the order is undone.
"""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="lost_for_ever",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 4},
                operation="ReserveStock",
                moment=Moment.REQUEST_LOST,
                attempts="all",
            ),
        )
    ),
    expects=every(4, COMPENSATED),
)
