"""Everybody wants the same few things (Zipf demand), there are too few of them, shipping is slow and refuses every fifth parcel,
while a customer and a clerk keep looking at what is not yet over.
"""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMPENSATED, ENDED, Classes, Scenario
from scenarios.runs.workload import zipf_item, zipf_shares
from shared_domain.order.isolation import PROBE

UNITS_PER_ORDER = 0.7
SLOW_S = 3.0
_SHARES = zipf_shares(items=8, exponent=1.1)


def _expects(index: int) -> Classes:
    return COMPENSATED if index % 5 == 4 else ENDED


SCENARIO = Scenario(
    name="hot_items",
    faults=lambda n: FaultPlan(
        faults=(
            Fault(orders={"every": 5}, operation="BookShipment", moment=Moment.REFUSED),
            Fault(orders="all", operation="BookShipment", moment=Moment.SLOW, for_s=SLOW_S),
        )
    ),
    stock=lambda n: {
        f"item-{rank}": max(1, int(n * share * UNITS_PER_ORDER))
        for rank, share in enumerate(_SHARES)
    },
    item=zipf_item(_SHARES, "hot"),
    expects=_expects,
    probe=PROBE,
)
