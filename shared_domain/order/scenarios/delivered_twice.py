"""Every request of every order is delivered twice: each effect must still happen once."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import Scenario
from shared_domain.order.saga import SAGA

SCENARIO = Scenario(
    name="delivered_twice",
    faults=lambda n: FaultPlan(
        faults=tuple(
            Fault(orders="all", operation=step, moment=Moment.REQUEST_DUPLICATED)
            for step in SAGA.forward
        )
    ),
)
