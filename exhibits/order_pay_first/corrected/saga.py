"""The order saga itself, in the two step orders of this exhibit."""

from dataclasses import replace

from shared_domain.order.saga import SAGA as ORDER

VARIANTS = ("payment-first", "inventory-first")

SAGA = replace(
    ORDER,
    name="order_pay_first.corrected",
    variants={variant: ORDER.variants[variant] for variant in VARIANTS},
    reactions={variant: ORDER.reactions[variant] for variant in VARIANTS},
    state_machines={variant: ORDER.state_machines[variant] for variant in VARIANTS},
)
