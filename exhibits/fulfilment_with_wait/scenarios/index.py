"""The scenarios of both editions, by name."""

from exhibits.fulfilment_with_wait.scenarios import gateway_silent, slow_refusal
from scenarios.catalog.index import by_name
from shared_domain.order.scenarios import card_declined, last_item, out_of_stock

SCENARIOS = by_name((slow_refusal, gateway_silent, last_item, card_declined, out_of_stock))
HEADLINE = {"slow_refusal": ("-timeouts",), "gateway_silent": ("all",)}
