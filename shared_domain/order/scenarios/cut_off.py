"""Payment and the coordinator cannot reach each other for three seconds while a charge is under way."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import ENDED, Scenario

SCENARIO = Scenario(
    name="cut_off",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders=(n // 4,),
                operation="ChargePayment",
                moment=Moment.COORDINATOR_UNREACHABLE,
                for_s=3.0,
            ),
        )
    ),
    expects=lambda i: ENDED,
)
