"""Every fourth order is undeliverable and its refund never works: the saga is parked,
the chain stops there, and an operator can see it and why.
"""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import PARKED, Scenario, every

SCENARIO = Scenario(
    name="refund_fails_forever",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders={"every": 4}, operation="BookShipment", moment=Moment.REFUSED),
            Fault(
                orders={"every": 4}, operation="RefundPayment", moment=Moment.ERROR, attempts="all"
            ),
        )
    ),
    expects=every(4, PARKED),
)
