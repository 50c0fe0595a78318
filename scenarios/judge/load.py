"""How much a run was asked to do, how much it did, and whether it fell behind: then its deadlines say nothing."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from kernel.policy import Policy
from scenarios.faults.plan import DISTURBANCES
from scenarios.faults.record import Injection

LEAST_ORDERS = 12
"""Fewer orders cannot overload anything, and give no rate."""
SHARE_OF_THE_DEADLINE = 0.25
"""A run is saturated if its last customers waited this share of the saga deadline longer than its quickest one."""
_MOST = 0.9
"""The share of customers or orders over which a rate is taken: a last one that waits for a deadline decides nothing."""


class Stay(NamedTuple):
    """When a customer meant to come and was accepted (None = never), when the order ended (None = it did not), and when anybody
    last did anything about it (None = nobody ever did). In monotonic seconds.
    """

    order_id: str
    came_s: float
    accepted_s: float | None
    ended_s: float | None
    seen_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Rates per second of real time; None = too few orders.

    `offered_per_s`: customers who came. `achieved_per_s`: orders that ended; both from the first customer until nine tenths of them
    had come, or ended. `wait_growth_s`: how much longer the last third of the customers waited (median) than the one who waited least,
    until their order ended or was last worked on, or how long they waited (median) to be accepted, whichever is longer: a burst during a standstill makes
    everybody wait alike. Counted over those whom no fault struck; infinite if nobody worked on most of the last ones; None = too
    few, or the coordinator was disturbed, which explains any wait. `limit_s`: from which growth on the run is saturated.
    """

    offered_per_s: float | None
    achieved_per_s: float | None
    wait_growth_s: float | None
    limit_s: float

    @property
    def saturated(self) -> bool:
        """Whether the backlog grew while customers came, so much that deadlines passed by waiting alone."""
        return self.wait_growth_s is not None and self.wait_growth_s > self.limit_s

    def advice(self) -> str:
        """What a user reads of a saturated run."""
        growth = self.wait_growth_s or 0.0
        waited = (
            "nobody worked on the last customers' orders"
            if math.isinf(growth)
            else f"the last customers waited {growth:.2f} s longer than the quickest"
        )
        return (
            f"saturated: {_rate(self.offered_per_s)} customers per second came, {_rate(self.achieved_per_s)} orders per"
            f" second ended, and {waited}: deadlines passed by queueing alone; raise --time-scale or lower --rate"
        )

    def to_json(self) -> dict[str, float | bool | str | None]:
        """As verdict.json has it, under `timing`. JSON knows no infinity: it is "open"."""
        growth = self.wait_growth_s
        return {
            "offered_per_s": self.offered_per_s,
            "achieved_per_s": self.achieved_per_s,
            "wait_growth_s": "open" if growth is not None and math.isinf(growth) else growth,
            "limit_s": self.limit_s,
            "saturated": self.saturated,
        }


def load_of(stays: Sequence[Stay], injections: Collection[Injection], policy: Policy) -> Load:
    """The load of a run."""
    came = sorted(stays, key=lambda stay: stay.came_s)
    return Load(
        offered_per_s=_per_s([stay.came_s for stay in came], came[:1]),
        achieved_per_s=_per_s(sorted(s.ended_s for s in came if s.ended_s is not None), came[:1]),
        wait_growth_s=_growth_s(came, injections),
        limit_s=SHARE_OF_THE_DEADLINE * policy.saga_s(),
    )


def _per_s(times_s: Sequence[float], first: Sequence[Stay]) -> float | None:
    if len(times_s) < LEAST_ORDERS:
        return None
    counted = int(_MOST * len(times_s))
    lasted_s = times_s[counted - 1] - first[0].came_s
    return counted / lasted_s if lasted_s > 0 else None


def _growth_s(came: Sequence[Stay], injections: Collection[Injection]) -> float | None:
    if any(i.moment in DISTURBANCES and i.struck for i in injections):
        return None
    struck = {i.order_id for i in injections if i.struck}
    spared = [stay for stay in came if stay.order_id not in struck]
    if len(spared) < LEAST_ORDERS:
        return None
    waits = [math.inf if s.seen_s is None else s.seen_s - s.came_s for s in spared]
    least = min(waits)
    if math.isinf(least):
        return 0.0
    last = len(waits) // 3
    accepted = [stay.accepted_s - stay.came_s for stay in spared[-last:] if stay.accepted_s]
    return max(median(waits[-last:]) - least, median(accepted) if accepted else 0.0)


def _rate(per_s: float | None) -> str:
    return "too few" if per_s is None else f"{per_s:.0f}"
