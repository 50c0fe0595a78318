"""Inventory fails twice for every second order, then recovers: retries are enough."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMMITTED, Scenario

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
