"""The order saga itself: stock, charge, shipment, one after the other."""

from dataclasses import replace

from shared_domain.order.saga import SAGA as ORDER

FIRST = "inventory-first"

SAGA = replace(
    ORDER,
    name="fulfilment_with_wait.corrected",
    variants={FIRST: ORDER.variants[FIRST]},
    reactions={FIRST: ORDER.reactions[FIRST]},
    state_machines={FIRST: ORDER.state_machines[FIRST]},
)
