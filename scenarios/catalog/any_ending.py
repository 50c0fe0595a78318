"""No story: for a fault plan of your own, in which orders may end in any way that is consistent."""

from scenarios.scenario import Scenario
from scenarios.verdict import OrderClass

SCENARIO = Scenario(name="any_ending", expects=lambda i: frozenset(OrderClass))
