"""A booking arrives after the saga's deadline has had the order undone, a confirmation after it has expired:
what comes late meets a tombstone, or finds the order confirmed.
"""

from scenarios.faults.plan import LATE_S, Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMMITTED, COMPENSATED, LATE, Classes, Scenario

STEP = 5


def _expects(index: int) -> Classes:
    """In the choreography nothing but the deadline ends such a saga, so it ends after it."""
    if index % STEP == STEP - 1:
        return COMPENSATED | LATE
    return COMMITTED | LATE if index % STEP == 1 else COMMITTED


SCENARIO = Scenario(
    name="late_success",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(
                orders={"every": STEP},
                operation="BookShipment",
                moment=Moment.REQUEST_DELAYED,
                attempts="all",
                for_s=LATE_S,
            ),
            Fault(
                orders=list(range(1, n, STEP)),
                operation="ConfirmOrder",
                moment=Moment.REQUEST_DELAYED,
                for_s=LATE_S,
            ),
        )
    ),
    expects=_expects,
)
