"""The scenarios of both editions, by name: the order saga's."""

from scenarios.catalog.index import by_name
from shared_domain.order.scenarios import (
    card_declined,
    lost_for_ever,
    out_of_stock,
    refund_flaky,
    undeliverable,
)

SCENARIOS = by_name((card_declined, out_of_stock, undeliverable, refund_flaky, lost_for_ever))
HEADLINE = {"out_of_stock": ("all",), "refund_flaky": ("all",)}
