"""What customers want and how long services take: drawn by hash, so that it is the same in every style."""

import hashlib
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist
from typing import Self

from kernel.errors import UsageError

_NUMBER = r"(\d{1,7}(?:\.\d{1,6})?)"
_SERVICE_TIME = re.compile(rf"(\w+)=(?:constant:{_NUMBER}|lognormal:{_NUMBER}:{_NUMBER})")
_Z99 = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTime:
    """How long a service works on one call, in unscaled seconds: lognormal, or constant if median and p99 are the same."""

    median_s: float
    p99_s: float

    def drawn_s(self, chance: float) -> float:
        """The quantile of a chance in 0..1."""
        sigma = math.log(self.p99_s / self.median_s) / _Z99 if self.median_s else 0.0
        if not sigma:
            return self.median_s
        inside = min(max(chance, 1e-12), 1 - 1e-12)
        return self.median_s * math.exp(sigma * NormalDist().inv_cdf(inside))

    def __str__(self) -> str:
        """As `ServiceTimes.parse` reads it."""
        if self.median_s == self.p99_s:
            return f"constant:{1000 * self.median_s:g}"
        return f"lognormal:{1000 * self.median_s:g}:{1000 * self.p99_s:g}"


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """Participant -> how long its calls take beyond the work itself; the others take no longer."""

    of: Mapping[str, ServiceTime]

    @classmethod
    def parse(cls, text: str) -> Self:
        """`none`, or `payment=lognormal:80:800,inventory=constant:5`, in milliseconds. Raise UsageError for anything else."""
        if text == "none":
            return cls({})
        return cls(dict(_service_time(part) for part in text.split(",")))

    def check(self, services: Collection[str]) -> Self:
        """Themselves. Raise UsageError if one of them is of no service of the saga."""
        if unknown := sorted(self.of.keys() - set(services)):
            raise UsageError(f"service time of {unknown[0]!r}: services are {', '.join(services)}")
        return self

    def __str__(self) -> str:
        """As `parse` reads it."""
        return ",".join(f"{name}={time}" for name, time in self.of.items()) or "none"

    def drawn_s(self, service: str, *address: object) -> float:
        """How long this call takes, by its address alone."""
        time = self.of.get(service)
        return time.drawn_s(chance("service time", *address)) if time else 0.0


NO_TIME = ServiceTimes({})


def _service_time(text: str) -> tuple[str, ServiceTime]:
    found = _SERVICE_TIME.fullmatch(text.strip())
    if found:
        name, constant, median, p99 = found.groups()
        time = ServiceTime(
            median_s=float(constant or median) / 1000, p99_s=float(constant or p99) / 1000
        )
        if time.median_s <= time.p99_s and (time.median_s or not time.p99_s):
            return name, time
    raise UsageError(
        f"service time {text!r}: give none, or SERVICE=constant:MS or SERVICE=lognormal:MEDIAN_MS:P99_MS,"
        f" several with commas"
    )


def zipf_shares(items: int, exponent: float) -> list[float]:
    """The share of demand of each of so many items, the most wanted first."""
    weights = [1 / rank**exponent for rank in range(1, items + 1)]
    return [weight / sum(weights) for weight in weights]


def zipf_item(shares: Sequence[float], salt: str) -> Callable[[int], str]:
    """What the order of an index wants: `item-0` most often."""
    up_to = list(accumulate(shares))

    def item(index: int) -> str:
        drawn = chance(f"{salt} {index}")
        rank = next((r for r, limit in enumerate(up_to) if drawn < limit), len(up_to) - 1)
        return f"item-{rank}"

    return item


def chance(*address: object) -> float:
    """A number in 0..1 that depends on the address alone."""
    digest = hashlib.sha256(" ".join(map(str, address)).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
