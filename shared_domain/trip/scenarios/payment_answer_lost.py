"""The money is taken and the answer lost: the payment is asked for again and must not be taken twice."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import Scenario

SCENARIO = Scenario(
    name="payment_answer_lost",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="TakePayment", moment=Moment.ANSWER_LOST),)
    ),
)
