"""Payment takes fifteen seconds at every second order, and then declines the card."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

_SECOND = {"every": 2}

SCENARIO = Scenario(
    name="slow_refusal",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders=_SECOND, operation="ChargePayment", moment=Moment.SLOW, for_s=15.0),
            Fault(orders=_SECOND, operation="ChargePayment", moment=Moment.REFUSED),
        )
    ),
    expects=every(2, COMPENSATED),
)
