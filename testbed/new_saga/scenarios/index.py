"""The scenarios of this saga, by name; HEADLINE is what `saga demo` shows: scenario -> the safeguards of its arms."""

from scenarios.catalog.index import by_name

from . import card_declined, lost_reply

SCENARIOS = by_name((card_declined, lost_reply))
HEADLINE = {
    "happy_path": ("all",),
    "card_declined": ("none", "all"),
    "lost_reply": ("none", "-inbox", "all"),
}
