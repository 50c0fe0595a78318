"""The payment gateway is silent at every second order, each time it is asked: order and stock are written by then."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="gateway_silent",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 2}, operation="ChargePayment", moment=Moment.HANG, attempts="all"
            ),
        )
    ),
    expects=every(2, COMPENSATED),
)
