"""Everybody wants the same few things (Zipf demand), there are too few of them, shipping is slow and refuses every fifth parcel,
while a customer and a clerk keep looking at what is not yet over.
"""

import hashlib
from itertools import accumulate

from scenarios.fault_plan import Fault, FaultPlan, Moment
from scenarios.scenario import COMPENSATED, ENDED, Classes, Scenario

ITEMS = 8
EXPONENT = 1.1
UNITS_PER_ORDER = 0.7
SLOW_S = 3.0
_WEIGHTS = [1 / rank**EXPONENT for rank in range(1, ITEMS + 1)]
_SHARES = [weight / sum(_WEIGHTS) for weight in _WEIGHTS]


def _item(index: int) -> str:
    """Drawn from the Zipf distribution by hash, the same in every style."""
    chance = int.from_bytes(hashlib.sha256(f"hot {index}".encode()).digest()[:8]) / 2**64
    rank = next((r for r, up_to in enumerate(accumulate(_SHARES)) if chance < up_to), ITEMS - 1)
    return f"item-{rank}"


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
    item=_item,
    expects=_expects,
    probed=True,
)
