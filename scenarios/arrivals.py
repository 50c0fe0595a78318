"""When customers come: an open loop, so that a slow system is not asked less often."""

import random


def poisson_offsets_s(n: int, *, rate_per_s: float, seed: int) -> list[float]:
    """Intended starts of n orders, seconds after the beginning, ascending: exponential gaps."""
    chance = random.Random(f"arrivals {seed}")
    at, offsets = 0.0, []
    for _ in range(n):
        at += chance.expovariate(rate_per_s)
        offsets.append(at)
    return offsets
