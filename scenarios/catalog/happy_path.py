"""Nothing goes wrong: every step of every order is done."""

from scenarios.runs.scenario import Scenario

SCENARIO = Scenario(name="happy_path")
