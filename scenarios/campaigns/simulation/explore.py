"""Thousands of schedules over all cores; what is found wrong does not depend on how they are shared out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from scenarios.campaigns.simulation.cores import over_cores
from scenarios.campaigns.simulation.finding import Finding, finding, states
from scenarios.campaigns.simulation.schedule import Space
from scenarios.campaigns.simulation.shrink import shrink, size
from scenarios.campaigns.simulation.simulated import play, without_collector
from scenarios.judge.verdict import BAD

CHUNK = 40
"""Schedules that a worker carries out before it tells."""


@dataclass(slots=True, kw_only=True)
class Explored:
    """What has been explored so far. `kinds`: the first finding of each kind, and how many there were."""

    runs: int = 0
    sagas: int = 0
    faults: int = 0
    struck: int = 0
    """How many of the faults struck."""
    states: set[int] = field(default_factory=set)
    classes: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, tuple[int, Finding]] = field(default_factory=dict)
    inconsistent: int = 0
    """Sagas that ended inconsistent, or never."""
    longest_virtual_s: float = 0.0
    wall_s: float = 0.0
    busy_s: float = 0.0
    """Time that workers were at it, over all of them."""

    @property
    def failed(self) -> int:
        """How many schedules had something wrong."""
        return sum(n for n, _ in self.kinds.values())

    def add(self, other: "Explored") -> None:
        """What has been explored since, too."""
        self.runs += other.runs
        self.sagas += other.sagas
        self.faults += other.faults
        self.struck += other.struck
        self.states |= other.states
        self.inconsistent += other.inconsistent
        self.busy_s += other.busy_s
        self.longest_virtual_s = max(self.longest_virtual_s, other.longest_virtual_s)
        for name, n in other.classes.items():
            self.classes[name] = self.classes.get(name, 0) + n
        for kind, (n, first) in other.kinds.items():
            known, kept = self.kinds.get(kind, (0, first))
            self.kinds[kind] = known + n, kept


def explore(
    space: Space,
    *,
    runs: int,
    collect: bool,
    told: Callable[[Explored], None] = lambda so_far: None,
) -> Explored:
    """Simulate the first `runs` schedules of a space. `told` is called with all that is known, now and then.

    Unless `collect`, stop at the first thing wrong. Raise Failure if a worker dies.
    """
    begun, all_of_it = time.monotonic(), Explored()
    pieces = ((space, n, min(CHUNK, runs - n), collect) for n in range(0, runs, CHUNK))
    for part in over_cores(explore_part, pieces):
        all_of_it.add(part)
        all_of_it.wall_s = time.monotonic() - begun
        told(all_of_it)
        if all_of_it.kinds and not collect:
            break
    return all_of_it


def explore_part(space: Space, first: int, runs: int, collect: bool) -> Explored:  # noqa: FBT001 - it travels to a worker
    """Simulate some schedules of a space, one after the other."""
    begun, part = time.process_time(), Explored()
    with (
        without_collector()
    ):  # a run leaves nothing to it, and to look would take a thirtieth of the time
        for number in range(first, first + runs):
            if part.kinds and not collect:
                break
            schedule = space.schedule(number)
            simulated = play(schedule)
            part.runs += 1
            part.sagas += schedule.orders
            numbers = range(len(schedule.whole_plan.faults) - len(schedule.delays.faults))
            part.faults += len(numbers)
            part.states |= states(schedule.style, simulated.log)
            part.longest_virtual_s = max(part.longest_virtual_s, simulated.virtual_s)
            if simulated.ended is not None:
                verdict = simulated.ended.verdict
                hits = {i.fault for i in simulated.ended.injections if i.struck}
                part.struck += sum(number in hits for number in numbers)
                part.inconsistent += sum(o.order_class in BAD or o.lied for o in verdict.orders)
                for name, n in verdict.counts().items():
                    part.classes[name] = part.classes.get(name, 0) + n
            if wrong := finding(schedule, simulated):
                n, kept = part.kinds.get(wrong.kind, (0, wrong))
                part.kinds[wrong.kind] = n + 1, kept
    part.busy_s = time.process_time() - begun
    return part


def smallest(found: Explored, *, most: int) -> list[tuple[int, Finding]]:
    """The findings, shrunk: those that are the same then are one. At most `most` kinds are looked at.

    Each with the number of runs in which it was found.
    """
    chosen = list(found.kinds.values())[:most]
    distinct: dict[str, tuple[int, Finding]] = {}
    for (n, _), small in zip(chosen, over_cores(shrink, ((f,) for _, f in chosen)), strict=True):
        known, kept = distinct.get(small.kind, (0, small))
        distinct[small.kind] = known + n, min(kept, small, key=lambda f: size(f.schedule))
    return list(distinct.values())
