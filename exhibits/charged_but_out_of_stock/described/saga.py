"""The rows of the order saga with stock and payment at the same time, and pages that know no way back."""

from dataclasses import replace
from pathlib import Path

from exhibits.charged_but_out_of_stock.described.reactions import REACTIONS
from shared_domain.order.saga import SAGA as ORDER

TOGETHER = "parallel"

SAGA = replace(
    ORDER,
    name="charged_but_out_of_stock.described",
    variants={TOGETHER: ORDER.variants[TOGETHER]},
    reactions={TOGETHER: REACTIONS},
    state_machines={TOGETHER: Path(__file__).with_name("checkout.asl.json")},
)
