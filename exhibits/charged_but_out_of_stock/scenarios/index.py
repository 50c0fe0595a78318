"""The scenarios of both editions, by name."""

from exhibits.charged_but_out_of_stock.scenarios import refund_asked_twice
from scenarios.catalog.index import by_name
from shared_domain.order.scenarios import (
    card_declined,
    flaky_participant,
    out_of_stock,
    undeliverable,
)

SCENARIOS = by_name(
    (out_of_stock, card_declined, undeliverable, flaky_participant, refund_asked_twice)
)
HEADLINE = {"out_of_stock": ("all",), "refund_asked_twice": ("all", "-inbox")}
