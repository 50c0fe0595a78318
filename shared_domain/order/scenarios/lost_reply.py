"""Payment takes the money, but its answer is lost: the charge is asked for again and must not be taken twice."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMMITTED, Scenario

SCENARIO = Scenario(
    name="lost_reply",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="ChargePayment", moment=Moment.ANSWER_LOST),)
    ),
    expects=lambda i: COMMITTED,
)
