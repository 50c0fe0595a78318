"""The scenarios of both editions, by name."""

from exhibits.choice_versus_catch.scenarios import one_crash, payment_answers_500, payment_hangs
from scenarios.catalog.index import by_name
from shared_domain.order.scenarios import card_declined, out_of_stock

SCENARIOS = by_name((card_declined, out_of_stock, payment_answers_500, payment_hangs, one_crash))
HEADLINE = {"payment_answers_500": ("all",), "payment_hangs": ("all",)}
