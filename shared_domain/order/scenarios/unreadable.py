"""Three of five requests to payment cannot be read: garbage, an unknown version, too large. Nobody may retry them for ever,
and nobody may lose them: a conductor compensates at once, a service leaves them to an operator.
"""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMMITTED, COMPENSATED, PARKED, Classes, Scenario

STEP = 5
KINDS = (Moment.POISON, Moment.UNKNOWN_VERSION, Moment.OVERSIZED)


def _expects(index: int) -> Classes:
    return COMPENSATED | PARKED if index % STEP < len(KINDS) else COMMITTED


SCENARIO = Scenario(
    name="unreadable",
    faults=lambda n: FaultPlan(
        faults=tuple(
            Fault(orders=tuple(range(place, n, STEP)), operation="ChargePayment", moment=kind)
            for place, kind in enumerate(KINDS)
        )
    ),
    expects=_expects,
)
