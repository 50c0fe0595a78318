"""A criterion: how much it weighs in a case, and what is known of both styles."""

from collections.abc import Callable
from dataclasses import dataclass

from report.decision.case import Case
from report.decision.figures import Measured

MOST_WEIGHT = 5
JUDGEMENT = "your judgement"
NOT_MEASURED = "not measured here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of both styles for a case. `favours`: -2 (choreography, clearly) to 2 (orchestration, clearly), 0 = neither."""

    choreography: str
    orchestration: str
    favours: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """`factor`: which of Megargel's factors it belongs to. `weigh(case)`: the weight, 0 to 5, and the reason for it."""

    name: str
    factor: str
    weigh: Callable[[Case], tuple[int, str]]
    evidence: Callable[[Case], Evidence]


def lean(choreography: float, orchestration: float) -> int:
    """Which style a figure speaks for, less being better: a factor of 2 is clear, one of 1.1 is something, less is nothing."""
    if min(choreography, orchestration) < 0:
        raise ValueError("what is compared cannot be negative")
    more, less = max(choreography, orchestration), min(choreography, orchestration)
    ratio = more / less if less else (1.0 if not more else float("inf"))
    size = 2 if ratio >= 2 else int(ratio >= 1.1)
    return size if choreography > orchestration else -size


def by_figure(figure: Measured) -> Evidence:
    """What a measured figure says by itself."""
    return Evidence(
        choreography=figure.choreography[1],
        orchestration=figure.orchestration[1],
        favours=lean(figure.choreography[0], figure.orchestration[0]),
        source=figure.source(),
    )


def stepwise(value: float, *limits: float) -> int:
    """How many of the rising limits a value has reached."""
    return sum(value >= limit for limit in limits)
