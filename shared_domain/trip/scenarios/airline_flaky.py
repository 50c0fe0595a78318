"""The airline fails the first two times it is asked to hold seats, for every second trip: retries carry the saga through."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import Scenario

SCENARIO = Scenario(
    name="airline_flaky",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 2},
                operation="ReserveFlight",
                moment=Moment.ERROR,
                attempts=(1, 2),
            ),
        )
    ),
)
