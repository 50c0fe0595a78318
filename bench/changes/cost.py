"""What a change costs in one style: what is touched, who is redeployed in which order, and whether old and new may run at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from random import Random

from bench.changes.deployment import deployment
from bench.changes.folders import Change
from bench.changes.lines import Touched, described, files_touched, services_touched, touched
from bench.changes.rollout import roll_out
from bench.changes.verdict import RolloutVerdict, judged
from scenarios.styles.style import Style

SEEDS = (1, 2, 3)
"""An order of deployment counts as clean if it is clean with each of them; the worst one is shown."""
MOST_ORDERS = 22
"""How many orders of deployment are tried beyond the derived one and its reverse: all that four parts have; drawn by chance if there are more."""


class AtOnce(StrEnum):
    """Whether old and new may run at once."""

    SAFE = "safe"
    """In the derived order and in its reverse."""
    ORDERED = "ordered"
    """In one order, and not in another one."""
    UNSAFE = "unsafe"
    """In none of the orders that were tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One order of deployment, and the worst that it did."""

    parts: tuple[str, ...]
    verdict: RolloutVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One change in one style. `owners`: see lines.touched. `tried`: the derived order first, then its reverse, then others.

    `described`: what differs in the files that only the testbed reads, not counted elsewhere. `redeploy`: the order that is clean, or
    the derived one if none is.
    """

    change: str
    words: str
    style: str
    services: tuple[str, ...]
    files: tuple[str, ...]
    owners: dict[str, Touched]
    described: Touched
    redeploy: tuple[str, ...]
    at_once: AtOnce
    tried: tuple[Tried, ...]

    @property
    def lines_added(self) -> int:
        """Lines that only the new version has."""
        return sum(one.added for one in self.owners.values())

    @property
    def lines_removed(self) -> int:
        """Lines that only the old version has."""
        return sum(one.removed for one in self.owners.values())

    def why(self) -> str:
        """The verdict on old and new at once, in one sentence."""
        derived, others = self.tried[0], self.tried[1:]
        if self.at_once is AtOnce.SAFE:
            return "safe" if not others else "safe in this order and in the reverse one"
        if self.at_once is AtOnce.ORDERED:
            other = next(one for one in self.tried if not one.verdict.clean)
            return f"safe in this order; {' > '.join(other.parts)}: {other.verdict.words()}"
        found = f"in this order {derived.verdict.words()}"
        if not others:
            return found
        best = min(self.tried, key=lambda one: one.verdict.harmed)
        found = f"no order of the {len(self.tried)} tried is clean; {found}"
        return found if best is derived else f"{found}; at best ({' > '.join(best.parts)}) {best.verdict.words()}"  # fmt: skip


def cost(change: Change, style: Style) -> Cost:
    """The cost of a change in a style, all of it computed or run. Raise NeverEnds if a simulation does not come to its end."""
    conducted = style.conducted
    parts = deployment(change, conducted=conducted)
    tried = list(_tried(change, style, parts))
    clean = [one for one in tried if one.verdict.clean]
    both = all(one.verdict.clean for one in tried[:2])
    at_once = AtOnce.UNSAFE
    if clean:
        at_once = AtOnce.SAFE if both else AtOnce.ORDERED
    touching = services_touched(change, conducted=conducted)
    return Cost(
        change=change.name,
        words=change.words,
        style=style.name,
        services=tuple(name for name in change.new.saga.services if name in touching),
        files=tuple(files_touched(change, conducted=conducted)),
        owners=touched(change, conducted=conducted),
        described=described(change),
        redeploy=clean[0].parts if clean else parts,
        at_once=at_once,
        tried=tuple(tried),
    )


def try_order(change: Change, style: Style, parts: tuple[str, ...]) -> Tried:
    """Deploy in this order, with every seed: the worst verdict."""
    old, new = change.old.saga, change.new.saga
    runs = (judged(style, old, new, roll_out(style, old, new, parts, seed=s)) for s in SEEDS)
    return Tried(parts=parts, verdict=max(runs, key=lambda v: (not v.clean, v.harmed)))


def _tried(change: Change, style: Style, parts: tuple[str, ...]) -> Iterator[Tried]:
    """The derived order and its reverse; others only as long as none is clean."""
    clean = False
    for order in dict.fromkeys((parts, parts[::-1])):
        one = try_order(change, style, order)
        clean = clean or one.verdict.clean
        yield one
    for order in _others(parts):
        if clean:
            return
        one = try_order(change, style, order)
        clean = one.verdict.clean
        yield one


def _others(parts: tuple[str, ...]) -> list[tuple[str, ...]]:
    found = [order for order in permutations(parts) if order not in (parts, parts[::-1])]
    return found if len(found) <= MOST_ORDERS else Random(1).sample(found, MOST_ORDERS)
