"""The till takes the money, but its answer is lost: it is asked again and must not take it twice."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import Scenario

SCENARIO = Scenario(
    name="lost_reply",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 2}, operation="TakeMoney", moment=Moment.ANSWER_LOST),)
    ),
)
