"""Nothing goes wrong: every order is placed, reserved, charged, booked and confirmed."""

from scenarios.scenario import Scenario

SCENARIO = Scenario(name="happy_path")
