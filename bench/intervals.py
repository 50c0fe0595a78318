"""How sure one may be of what was measured in trials: bootstrap intervals over trials, never over the sagas in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

LEAST_TRIALS = 3
"""Of fewer trials no interval is given."""
BOOTSTRAP_FROM = 10
RESAMPLES = 2000
SMALL = 0.1
"""Below this a value is told with a digit more."""
Sample = Sequence[NDArray[np.float64]]
"""The observations of each trial."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; without one if there were too few trials."""

    value: float
    low: float | None = None
    high: float | None = None

    def told(self, digits: int = 2) -> str:
        """`1.80 (1.52-2.11)`; small values with a digit more."""
        digits += 0 < abs(self.value) < SMALL
        if self.low is None or self.high is None:
            return f"{self.value:.{digits}f} (no interval)"
        return f"{self.value:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"

    def holds(self, value: float) -> bool:
        """Whether a value is within the interval."""
        return self.low is not None and self.high is not None and self.low <= value <= self.high

    def agrees(self, other: "Estimate") -> bool:
        """Whether both intervals have a value in common."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return False
        return self.low <= other.high and other.low <= self.high

    def exp(self) -> "Estimate":
        """Of an estimate of a logarithm, that of the thing itself."""
        low, high = (None if x is None else float(np.exp(x)) for x in (self.low, self.high))
        return Estimate(float(np.exp(self.value)), low, high)

    def noise(self) -> float:
        """Of the ratio of two identical arms: the largest difference from 1 that its interval holds."""
        return max(abs(x - 1) for x in (self.low, self.high, self.value) if x is not None)

    def to_json(self) -> dict[str, float | None]:
        """As summary.json has it."""
        return {"value": self.value, "low": self.low, "high": self.high}


def ratio(pairs: Sequence[tuple[float, float]]) -> Estimate:
    """The geometric mean of a/b over pairs of the same round, with an interval over rounds."""
    logs = np.log([a / b for a, b in pairs])
    found = clustered(lambda drawn: float(np.mean(np.concatenate(drawn))), [logs[i : i + 1] for i in range(len(logs))])  # fmt: skip
    return found.exp()


def clustered(statistic: Callable[[Sample], float], trials: Sample) -> Estimate:
    """A statistic of all trials' observations, with an interval over whole trials.

    From ten trials on it is a bootstrap that draws whole trials, widened as Student's t widens the normal interval (the "expanded
    percentile interval": Hesterberg, What teachers should know about the bootstrap, 2015). A bootstrap of fewer never leaves
    the range that was seen, so there it is Student's t of the statistic of each trial ("batch means").
    """
    value, n = statistic(trials), len(trials)
    if n < LEAST_TRIALS:
        return Estimate(value)
    t = student.ppf(0.975, n - 1)
    if n < BOOTSTRAP_FROM:
        spread = t * float(np.std([statistic([trial]) for trial in trials], ddof=1)) / np.sqrt(n)
        return Estimate(value, float(value - spread), float(value + spread))
    chance = np.random.default_rng(1)
    drawn = [
        statistic([trials[i] for i in chance.integers(0, n, size=n)]) for _ in range(RESAMPLES)
    ]
    tail = norm.cdf(-np.sqrt(n / (n - 1)) * t)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Estimate(value, float(low), float(high))


def slope(points: Sequence[tuple[int, float, float]], *, logs: bool) -> Estimate:
    """The least-squares slope of y over x, with an interval over rounds. Points are (round, x, y).

    `logs`: of log y over log x, the exponent of the growth: 0 is flat, 1 is proportional.
    """

    def fitted(drawn: Sample) -> float:
        xy: NDArray[Any] = np.concatenate(drawn)
        return float(np.polyfit(xy[:, 0], xy[:, 1], 1)[0])

    rounds: dict[int, list[tuple[float, float]]] = {}
    for number, x, y in points:
        rounds.setdefault(number, []).append((np.log(x), np.log(y)) if logs else (x, y))
    return clustered(fitted, [np.asarray(of) for of in rounds.values()])
