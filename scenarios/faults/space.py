"""The whole fault space: where x when x what, each with the way on which a saga comes there."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kernel.saga import Saga
from scenarios.faults.plan import (
    BROKEN_PROMISES,
    CLOCKS,
    CORRUPTED,
    DISTURBANCES,
    ONLY_IN_TRACES,
    Fault,
    FaultPlan,
    Moment,
)
from scenarios.styles.index import STYLES

ONCE, ALWAYS = "first attempt", "every attempt"
PAST_THE_STEP_DEADLINE_S = 10.0
_LASTS = {
    Moment.REQUEST_DELAYED: PAST_THE_STEP_DEADLINE_S,
    Moment.ANSWER_DELAYED: PAST_THE_STEP_DEADLINE_S,
}
ONLY_ONCE = (
    DISTURBANCES
    | BROKEN_PROMISES
    | CORRUPTED
    | {
        Moment.REFUSED,
        Moment.OVERSIZED_ANSWER,
        Moment.UNEXPECTED_ANSWER,
        Moment.REQUEST_REPLAYED,
        *CLOCKS,
    }
)
"""What happens to a saga once, or to its message for good."""
STRUCK = {"every": 2}
"""Every second order of a cell is struck; the others stand by, and must not be harmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One fault of the space: what happens, where, and when."""

    operation: str
    when: str
    moment: Moment

    def fault(self) -> Fault:
        """As a line of a plan."""
        return Fault(
            orders=STRUCK,
            operation=self.operation,
            moment=self.moment,
            attempts="all" if self.when == ALWAYS else (1,),
            for_s=_LASTS.get(self.moment),
        )

    def __str__(self) -> str:
        """In words."""
        return f"{self.moment} at {self.operation}, {self.when}"


def _turned_back(operation: str) -> Fault:
    return Fault(orders=STRUCK, operation=operation, moment=Moment.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One to three faults in one style."""

    saga: Saga = field(compare=False, repr=False)
    style: str
    strikes: tuple[Strike, ...]

    @property
    def key(self) -> str:
        """Names the cell in files."""
        return f"{self.style}: " + " + ".join(map(str, self.strikes))

    def way(self) -> tuple[Fault, ...]:
        """What brings a saga to the operations that are struck: nothing, or what makes it compensate."""
        operations = {strike.operation for strike in self.strikes}
        last = self.saga.turning()
        if last.undo and last.undo.__name__ in operations:
            return (replace(_turned_back(last.name), moment=Moment.ERROR, attempts="all"),)
        return (_turned_back(last.name),) if operations & set(self.saga.undo) else ()

    def plan(self) -> FaultPlan:
        """The faults under test come last, after those that bring the saga there."""
        return FaultPlan(faults=(*self.way(), *(strike.fault() for strike in self.strikes)))

    def not_run(self) -> str:
        """Why there is nothing to run, "" = there is."""
        for strike in self.strikes:
            if strike.moment is Moment.REFUSED and strike.operation not in self.saga.refusable:
                return f"not applicable: {strike.operation} has no business reason to refuse"
            if why := STYLES[self.style].moments_without.get(strike.moment):
                return f"no counterpart: {why}"
        return ""

    def breaks_a_promise(self) -> bool:
        """Whether the coordinator does what no safeguard is expected to help against."""
        return any(strike.moment in BROKEN_PROMISES for strike in self.strikes)

    def expected(self, variant: str) -> str:
        """The worst that a broken promise must come to, whatever the safeguards; "" where none is broken. See Style.forgotten."""
        if not self.breaks_a_promise():
            return ""
        return STYLES[self.style].forgotten(self.saga, variant, self.strikes[0].operation)

    def disturbs(self) -> bool:
        """Whether the coordinator of everybody is disturbed."""
        return any(strike.moment in DISTURBANCES | BROKEN_PROMISES for strike in self.strikes)


def strikes(saga: Saga) -> list[Strike]:
    """Every single fault: each step and compensation x each moment, at the first attempt and at every one."""
    return [
        Strike(operation=operation, when=when, moment=moment)
        for operation in saga.operations
        for when in (ONCE, ALWAYS)
        for moment in Moment
        if moment not in ONLY_IN_TRACES and (when == ONCE or moment not in ONLY_ONCE)
    ]


def singles(saga: Saga, styles: list[str]) -> list[Cell]:
    """Every cell of depth 1."""
    return [
        Cell(saga=saga, style=style, strikes=(strike,))
        for style in styles
        for strike in strikes(saga)
    ]


def combinations(saga: Saga, depth: int) -> Iterator[tuple[Strike, ...]]:
    """Every combination of faults that one saga can meet on one way."""
    for chosen in itertools.combinations(strikes(saga), depth):
        if _can_meet(saga, chosen):
            yield chosen


def sampled(saga: Saga, depth: int, *, sample: int, seed: int, styles: list[str]) -> list[Cell]:
    """`sample` combinations drawn from all of that depth, each in every style."""
    population = list(combinations(saga, depth)) if depth == 2 else None
    chance = random.Random(seed)
    if population is not None:
        chosen = chance.sample(population, min(sample, len(population)))
    else:
        chosen = _drawn(saga, depth, sample, chance)
    return [Cell(saga=saga, style=style, strikes=faults) for faults in chosen for style in styles]


def _drawn(saga: Saga, depth: int, sample: int, chance: random.Random) -> list[tuple[Strike, ...]]:
    """Without listing them all: at depth 3 there are millions."""
    every, found = strikes(saga), dict[tuple[Strike, ...], None]()
    while len(found) < sample:
        places = sorted(chance.sample(range(len(every)), depth))
        chosen = tuple(every[place] for place in places)
        if _can_meet(saga, chosen):
            found[chosen] = None
    return list(found)


def _can_meet(saga: Saga, chosen: tuple[Strike, ...]) -> bool:
    operations = {strike.operation for strike in chosen}
    undoes = bool(operations & set(saga.undo))
    if undoes and saga.ending.name in operations:
        return False  # a saga is confirmed or undone
    if undoes and any(s.moment is Moment.REFUSED for s in chosen):
        return False  # the way there has its own refusal
    turning = saga.turning()
    if turning.undo and {turning.name, turning.undo.__name__} <= operations:
        return False  # the setup for that undo strikes the step itself
    if any(s.moment in BROKEN_PROMISES for s in chosen):
        return False  # nothing helps against it, whatever else happens: it is swept alone
    if any(s.moment is Moment.REFUSED and s.operation not in saga.refusable for s in chosen):
        return False
    # A message can be corrupted in one way only.
    addresses = [(s.operation, "corrupted" if s.moment in CORRUPTED else s.moment) for s in chosen]
    return len(set(addresses)) == len(addresses)
