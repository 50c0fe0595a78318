"""Two customers want the last one of each item: one of them gets it, the other is told it is gone."""

from scenarios.runs.scenario import ENDED, Scenario

SCENARIO = Scenario(
    name="last_item",
    stock=lambda n: {f"item-{pair:05d}": 1 for pair in range(-(-n // 2))},
    item=lambda i: f"item-{i // 2:05d}",
    expects=lambda i: ENDED,
    check=lambda classes: "; ".join(
        f"orders {first} and {first + 1}: {classes[first]}, {classes[first + 1]}"
        for first in range(0, len(classes) - 1, 2)
        if sorted(classes[first : first + 2]) != ["committed", "compensated"]
    ),
)
