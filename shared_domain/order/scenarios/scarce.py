"""No faults, but too few things: for a fault plan of your own, with stock for two orders in three."""

from scenarios.judge.verdict import OrderClass
from scenarios.runs.scenario import Scenario

SCENARIO = Scenario(
    name="scarce",
    any_item=True,
    stock=lambda n: {"book": max(1, 2 * n // 3)},
    expects=lambda i: frozenset(OrderClass),
)
