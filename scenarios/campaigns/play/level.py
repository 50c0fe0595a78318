"""A level: what is switched off, what the player is to bring about, and what is known of how it can be won."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kernel.errors import UsageError
from kernel.guards import Guards
from kernel.loading import load_part, package_of
from kernel.saga import Saga
from scenarios.campaigns.play.facts import Facts, facts
from scenarios.campaigns.play.setup import Setup
from scenarios.runs.driver import Ended
from scenarios.styles.index import STYLES

PROOFS = "levels.json"
"""Beside the levels of a saga: what `python -m testbed.play_levels` found out about them."""
LEAST_LIMIT = 2
ALL_OFF = "none"
"""As the guard of a level: every safeguard."""
THREE, TWO, ONE = 3, 2, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """`guard`: the safeguard that the level is about. `also_off`: others that are off with it, to make games shorter.

    `guard`: ALL_OFF = every one. `goal` says in words what `reached` looks for in any one order. `harm`: no schedule may bring it about while all safeguards
    are on; otherwise it only takes more moves then. `lesson`: what the player should have learnt.
    """

    name: str
    title: str
    guard: str
    goal: str
    reached: Callable[[Facts], bool]
    lesson: str
    also_off: tuple[str, ...] = ()
    variant: str = ""
    refused: str = ""
    harm: bool = True
    styles: tuple[str, ...] = tuple(STYLES)

    def setup(self, saga: Saga, style: str, *, guarded: bool = False) -> Setup:
        """What it is played with. `guarded`: with the safeguard on that it is about."""
        return Setup(
            style=style,
            saga=saga.address,
            guards=self._guards(guarded=guarded),
            variant=self.variant,
            refused=self.refused,
        )

    def _guards(self, *, guarded: bool) -> str:
        if self.guard == ALL_OFF:
            return "all" if guarded else "none"
        off = self.also_off if guarded else (self.guard, *self.also_off)
        return str(Guards.parse(",".join(f"-{name}" for name in off) or "all"))

    def won(self, ended: Ended, saga: Saga, *, over: bool = True) -> bool:
        """Whether the goal is reached for good in one order at least. `over`: nothing can happen any more."""
        return any(order.certain and self.reached(order) for order in facts(ended, saga, over=over))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is known of a level in one style.

    `par`: fewest moves that win, `won`: the choices of such a game. `tried`: games with at most `limit` moves that were played
    with the safeguard on, all of them; `guarded_wins`: how many of them were won. `schedules`: random ones of `saga explore`
    with the safeguard on, and in how many of them the goal was reached; None = the level is about no harm.
    """

    par: int
    won: tuple[str, ...]
    tried: int
    guarded_wins: int
    schedules: int | None = None
    schedule_wins: int = 0

    @property
    def limit(self) -> int:
        """Most moves of a game that counts."""
        return max(LEAST_LIMIT, self.par)

    def stars(self, moves: int) -> int:
        """For a game that was won in so many moves."""
        if moves <= self.par:
            return THREE
        return TWO if moves <= self.limit else ONE


def levels_of(saga: Saga) -> tuple[Level, ...]:
    """LEVELS in `levels.py` of the saga's folder; none if there is no such file."""
    if not find_spec(f"{package_of(saga.address)}.levels"):
        return ()
    return load_part(saga.address, "levels", "LEVELS", tuple)


def level_of(saga: Saga, number: int) -> Level:
    """The level of this number, from 1 on. Raise UsageError if there is none."""
    levels = levels_of(saga)
    if not levels:
        raise UsageError(f"the saga {saga.name} has no levels: play it without --level")
    if not 1 <= number <= len(levels):
        raise UsageError(f"there is no level {number}: the saga {saga.name} has 1 to {len(levels)}")
    return levels[number - 1]


@cache
def proofs_of(address: str) -> Mapping[str, Mapping[str, Proof]]:
    """Level -> style -> what is known; from the file that lies beside the levels, nothing if there is none."""
    path = proofs_file(address)
    if path is None or not path.exists():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: {style: _proof(one) for style, one in styles.items()}
        for name, styles in document["levels"].items()
    }


def proofs_file(address: str) -> Path | None:
    """Where it lies; None if the saga has no levels."""
    spec = find_spec(f"{package_of(address)}.levels")
    return Path(spec.origin).with_name(PROOFS) if spec and spec.origin else None


def _proof(one: dict[str, Any]) -> Proof:
    known: dict[str, Any] = {**one, "won": tuple(one["won"])}
    return Proof(**known)
