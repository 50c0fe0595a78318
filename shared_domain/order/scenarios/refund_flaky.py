"""Every second order is undeliverable, and its refund fails twice before it works."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="refund_flaky",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders={"every": 2}, operation="BookShipment", moment=Moment.REFUSED),
            Fault(
                orders={"every": 2}, operation="RefundPayment", moment=Moment.ERROR, attempts=(1, 2)
            ),
        )
    ),
    expects=every(2, COMPENSATED),
)
