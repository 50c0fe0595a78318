"""Inventory fails twice for every second order, then recovers: retries are enough."""

from scenarios.fault_plan import Fault, FaultPlan, Moment
from scenarios.scenario import COMMITTED, Scenario

SCENARIO = Scenario(
    name="flaky_participant",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 2}, operation="ReserveStock", moment=Moment.ERROR, attempts=(1, 2)
            ),
        )
    ),
    expects=lambda i: COMMITTED,
)
