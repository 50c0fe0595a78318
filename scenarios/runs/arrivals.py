"""When customers come: an open loop, so that a slow system is not asked less often."""

import random
from enum import StrEnum


class Arrivals(StrEnum):
    """The gaps between customers."""

    POISSON = "poisson"
    CONSTANT = "constant"


def offsets_s(arrivals: str, n: int, *, rate_per_s: float, seed: int) -> list[float]:
    """Intended starts of n orders, seconds after the beginning, ascending."""
    if arrivals == Arrivals.CONSTANT:
        return [number / rate_per_s for number in range(1, n + 1)]
    chance = random.Random(f"arrivals {seed}")
    at, offsets = 0.0, []
    for _ in range(n):
        at += chance.expovariate(rate_per_s)
        offsets.append(at)
    return offsets
