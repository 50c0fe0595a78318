"""Every answer arrives twice: each next step must still happen once."""

from scenarios.fault_plan import Fault, FaultPlan, Moment
from scenarios.rules import STEPS
from scenarios.scenario import Scenario

SCENARIO = Scenario(
    name="answered_twice",
    faults=lambda n: FaultPlan(
        faults=tuple(
            Fault(orders="all", operation=step, moment=Moment.ANSWER_DUPLICATED)
            for step in STEPS["inventory-first"][:-1]
        )
    ),
)
