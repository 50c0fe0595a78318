"""Of every two groups of travellers that want one flight, one fits in: the room of the other is cancelled, and so is its trip."""

from scenarios.runs.scenario import ENDED, Scenario

MOST_TRAVELLERS = 3

SCENARIO = Scenario(
    name="last_seat",
    stock=lambda n: {f"place-{pair:05d}": MOST_TRAVELLERS for pair in range(-(-n // 2))},
    item=lambda i: f"place-{i // 2:05d}",
    expects=lambda i: ENDED,
    check=lambda classes: "; ".join(
        f"trips {first} and {first + 1}: both compensated"
        for first in range(0, len(classes) - 1, 2)
        if "committed" not in classes[first : first + 2]
    ),
)
