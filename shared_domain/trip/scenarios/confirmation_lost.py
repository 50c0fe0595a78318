"""The airline issues the tickets and its answer never arrives, whoever asks: the saga must go forward, not back."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import Scenario

SCENARIO = Scenario(
    name="confirmation_lost",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": 3},
                operation="ConfirmFlight",
                moment=Moment.ANSWER_LOST,
                attempts=(1, 2),
            ),
        )
    ),
)
