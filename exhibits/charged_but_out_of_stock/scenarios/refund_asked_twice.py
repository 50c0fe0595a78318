"""Every second order is out of stock, its refund is asked for twice, and the first answer to it is lost."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

_SECOND = {"every": 2}

SCENARIO = Scenario(
    name="refund_asked_twice",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders=_SECOND, operation="ReserveStock", moment=Moment.REFUSED),
            Fault(
                orders=_SECOND,
                operation="RefundPayment",
                moment=Moment.REQUEST_DUPLICATED,
            ),
            Fault(orders=_SECOND, operation="RefundPayment", moment=Moment.ANSWER_LOST),
        )
    ),
    expects=every(2, COMPENSATED),
)
