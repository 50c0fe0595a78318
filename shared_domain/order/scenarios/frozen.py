"""The broker or the engine stands still for three seconds while a charge is under way: it keeps its connections and answers nothing."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import ENDED, Scenario

SCENARIO = Scenario(
    name="frozen",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders=(n // 4,),
                operation="ChargePayment",
                moment=Moment.COORDINATOR_FROZEN,
                for_s=3.0,
            ),
        )
    ),
    expects=lambda i: ENDED,
)
