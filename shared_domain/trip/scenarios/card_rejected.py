"""Every second card is over its limit: car, seats and room are cancelled, and no money was taken."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="card_rejected",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="TakePayment", moment=Moment.REFUSED),)
    ),
    expects=every(2, COMPENSATED),
)
