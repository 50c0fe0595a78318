"""The rows of the order saga, and pages that do not keep to them."""

from dataclasses import replace
from pathlib import Path

from exhibits.fulfilment_with_wait.corrected.saga import FIRST
from exhibits.fulfilment_with_wait.corrected.saga import SAGA as CORRECTED
from exhibits.fulfilment_with_wait.described.reactions import REACTIONS

SAGA = replace(
    CORRECTED,
    name="fulfilment_with_wait.described",
    reactions={FIRST: REACTIONS},
    state_machines={FIRST: Path(__file__).with_name("place_order.asl.json")},
)
