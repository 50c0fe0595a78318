"""The car rental never answers the first request of every fourth trip: the step deadline notices, and it is asked again."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import Scenario

SCENARIO = Scenario(
    name="rental_silent",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 4}, operation="ReserveCar", moment=Moment.HANG),)
    ),
)
