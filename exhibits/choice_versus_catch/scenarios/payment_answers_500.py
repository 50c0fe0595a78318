"""The payment service fails at every second order, each time it is asked: its adapter answers 500 instead of 402."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="payment_answers_500",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 2},
                operation="ChargePayment",
                moment=Moment.ERROR,
                attempts="all",
            ),
        )
    ),
    expects=every(2, COMPENSATED),
)
