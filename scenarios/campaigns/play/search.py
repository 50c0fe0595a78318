"""All games with at most so many moves: how a par is found, and how it is proved that a safeguard leaves no way to win.

A game is searched as delay-bounded schedulers do (Emmi, Qadeer, Rakamaric 2011): what happens by itself is free, and every
game with 0, 1, 2, ... interferences is played to its end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scenarios.campaigns.play.setup import Setup
from scenarios.campaigns.play.table import Position, play


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """`tried`: how many games were played to their end. `won`: the choices of the first that was won, "on" from there; None = none was."""

    tried: int
    won: tuple[str, ...] | None


def games(setup: Setup, *, moves: int) -> Iterator[Position]:
    """Every game with at most `moves` interferences, fewest first, each at its end."""
    level: list[tuple[str, ...]] = [()]
    for left in range(moves, -1, -1):
        following: list[tuple[str, ...]] = []
        for start in level:
            position = play(setup, start, on=True)
            yield position
            if left:
                following += [
                    (*position.choices[:place], other)
                    for place in range(len(start), len(position.choices))
                    for other in position.alternatives[place]
                ]
        level = following


def search(setup: Setup, won: Callable[[Position], bool], *, moves: int) -> Searched:
    """Play games until one is won, or all with at most `moves` interferences have been played."""
    tried = 0
    for position in games(setup, moves=moves):
        tried += 1
        if won(position):
            return Searched(tried=tried, won=position.choices)
    return Searched(tried=tried, won=None)
