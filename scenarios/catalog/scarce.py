"""No story, but too few things: for a fault plan of your own, with stock for two orders in three."""

from scenarios.scenario import Scenario
from scenarios.verdict import OrderClass

SCENARIO = Scenario(
    name="scarce",
    stock=lambda n: {"book": max(1, 2 * n // 3)},
    expects=lambda i: frozenset(OrderClass),
)
