"""kill -9 of the broker or the engine while tickets are being issued, and a restart a second later: nothing accepted may be lost."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import ENDED, Scenario

SCENARIO = Scenario(
    name="coordinator_killed",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders=[n // 4], operation="ConfirmFlight", moment=Moment.COORDINATOR_KILLED),
        )
    ),
    expects=lambda i: ENDED,
    least_time_scale=0.2,
)
