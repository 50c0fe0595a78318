"""A refund never works, and the broker or the engine is killed when it is first tried and when it gives up:
the saga must still be where an operator sees it.
"""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMMITTED, ENDED, PARKED, Classes, Scenario

LAST_ATTEMPT = 4


def _expects(index: int) -> Classes:
    return PARKED if index == 0 else ENDED | COMMITTED


SCENARIO = Scenario(
    name="parked_through_a_kill",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders=(0,), operation="BookShipment", moment=Moment.REFUSED),
            Fault(orders=(0,), operation="RefundPayment", moment=Moment.ERROR, attempts="all"),
            Fault(
                orders=(0,),
                operation="RefundPayment",
                moment=Moment.COORDINATOR_KILLED,
                attempts=(1, LAST_ATTEMPT),
            ),
        )
    ),
    expects=_expects,
    least_time_scale=0.2,
)
