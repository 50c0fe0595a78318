"""No faults: for a fault plan of your own, in which orders may end in any way that is consistent."""

from scenarios.judge.verdict import OrderClass
from scenarios.runs.scenario import Scenario

SCENARIO = Scenario(name="any_ending", expects=lambda i: frozenset(OrderClass))
