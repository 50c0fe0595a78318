"""The order saga itself: charge, reserve, ship, and a refund where that fails."""

from dataclasses import replace

from shared_domain.order.saga import SAGA as ORDER

FIRST = "payment-first"

SAGA = replace(
    ORDER,
    name="charged_but_out_of_stock.corrected",
    variants={FIRST: ORDER.variants[FIRST]},
    reactions={FIRST: ORDER.reactions[FIRST]},
    state_machines={FIRST: ORDER.state_machines[FIRST]},
)
