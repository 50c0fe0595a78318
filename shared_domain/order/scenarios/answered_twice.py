"""Every answer arrives twice: each next step must still happen once."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import Scenario
from shared_domain.order.saga import SAGA

SCENARIO = Scenario(
    name="answered_twice",
    faults=lambda n: FaultPlan(
        faults=tuple(
            Fault(orders="all", operation=step, moment=Moment.ANSWER_DUPLICATED)
            for step in SAGA.forward[:-1]
        )
    ),
)
