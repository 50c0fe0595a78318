"""Quantiles and proportions, with how sure one may be of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

LEAST_N_FOR_INTERVAL = {0.5: 6, 0.95: 72, 0.99: 368, 0.999: 3688}
"""Fewest observations for which a distribution-free two-sided 95 % interval of a quantile exists."""


def quantile(values: Sequence[float], q: float) -> float | None:
    """The q-quantile (0..1) of the values, linear between neighbours; None of nothing."""
    return float(np.quantile(np.asarray(values), q)) if len(values) else None


@dataclass(frozen=True, slots=True)
class Proportion:
    """k of n, with its exact (Clopper-Pearson) 95 % interval as ratios."""

    k: int
    n: int
    low_ratio: float
    high_ratio: float

    def __str__(self) -> str:
        """`12 of 50 (13-38 %)`; none of n is given as a bound, never as 0 %."""
        return f"{self.k} of {self.n} ({self._bounds()})" if self.n else "none"

    def interval(self) -> str:
        """`13-38 % at 95 % confidence`."""
        return f"{self._bounds()} at 95 % confidence" if self.n else "no orders"

    def _bounds(self) -> str:
        if self.k == 0:
            most = 100 * min(1.0, 3 / self.n)
            return f"at most {most:{'.1f' if most >= 0.1 else '.2g'}} %"
        digits = ".0f" if self.high_ratio >= 0.01 else ".2g"
        return f"{100 * self.low_ratio:{digits}}-{100 * self.high_ratio:{digits}} %"


def proportion(k: int, n: int) -> Proportion:
    """K of n with its interval."""
    if n == 0:
        return Proportion(0, 0, 0.0, 1.0)
    low = float(betaincinv(k, n - k + 1, 0.025)) if k else 0.0
    high = float(betaincinv(k + 1, n - k, 0.975)) if k < n else 1.0
    return Proportion(k, n, low, high)
