"""Every third traveller finds no car: seats and room are cancelled, in reverse order."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, Scenario, every

SCENARIO = Scenario(
    name="no_car_left",
    faults=lambda n: FaultPlan(
        faults=(Fault(orders={"every": 3}, operation="ReserveCar", moment=Moment.REFUSED),)
    ),
    expects=every(3, COMPENSATED),
)
