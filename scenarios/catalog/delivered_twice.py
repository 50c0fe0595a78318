"""Every request of every order is delivered twice: each effect must still happen once."""

from scenarios.fault_plan import Fault, FaultPlan, Moment
from scenarios.rules import STEPS
from scenarios.scenario import Scenario

SCENARIO = Scenario(
    name="delivered_twice",
    faults=lambda n: FaultPlan(
        faults=tuple(
            Fault(orders="all", operation=step, moment=Moment.REQUEST_DUPLICATED)
            for step in STEPS["inventory-first"]
        )
    ),
)
