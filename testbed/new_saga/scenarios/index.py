"""The scenarios of this saga, by name; HEADLINE is what `saga demo` shows."""

from scenarios.catalog.index import by_name

from . import card_declined, lost_reply

SCENARIOS = by_name((card_declined, lost_reply))
HEADLINE = ("happy_path", *SCENARIOS)
