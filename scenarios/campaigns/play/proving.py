"""What is known of levels, computed: the fewest moves that win, and that nothing wins with the safeguard on."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from kernel.errors import UsageError
from kernel.loading import load_saga
from kernel.saga import Saga
from scenarios.campaigns.play.export import exported
from scenarios.campaigns.play.level import LEAST_LIMIT, Level, Proof, levels_of
from scenarios.campaigns.play.search import games, search
from scenarios.campaigns.play.setup import Setup
from scenarios.campaigns.simulation.cores import over_cores
from scenarios.campaigns.simulation.schedule import Space
from scenarios.campaigns.simulation.simulated import play, without_collector

MOST_MOVES = 3
"""A par above this takes hours to compute."""
SEED, FAULTS, CHUNK = 21, (0, 3), 500
Wins = tuple[int, dict[str, int]]
"""How many games or schedules there were, and level -> how many of them reached its goal."""


def prove(
    address: str, names: Iterable[str], *, schedules: int, report: Callable[[str], None]
) -> dict[str, dict[str, Proof]]:
    """Level -> style -> what is known of it, over all cores. `schedules`: random ones for each style and set of safeguards.

    Raise UsageError naming a level that cannot be won in MOST_MOVES moves.
    """
    saga, wanted = load_saga(address), set(names)
    pairs = [(lv, style) for lv in levels_of(saga) if lv.name in wanted for style in lv.styles]
    won = {}
    pieces = [(address, level.name, style) for level, style in pairs]
    for (level, style), choices in zip(pairs, over_cores(shortest, pieces), strict=True):
        if not choices:
            raise UsageError(f"{level.name} cannot be won in {style} in {MOST_MOVES} moves")
        won[level.name, style] = choices
        report(f"{level.name}, {style}: {_moves(choices)} moves")
    guarded = _guarded(address, saga, pairs, {key: _moves(one) for key, one in won.items()}, report)
    random = _random(address, saga, pairs, schedules, report)
    found: dict[str, dict[str, Proof]] = defaultdict(dict)
    for level, style in pairs:
        tried, wins = guarded[
            level.setup(saga, style, guarded=True), _limit(won[level.name, style])
        ]
        drawn, hits = random.get(_key(level, saga, style), (None, {}))
        found[level.name][style] = Proof(
            par=_moves(won[level.name, style]),
            won=won[level.name, style],
            tried=tried,
            guarded_wins=wins[level.name],
            schedules=drawn if level.harm else None,
            schedule_wins=hits.get(level.name, 0) if level.harm else 0,
        )
    return found


def _moves(choices: Iterable[str]) -> int:
    return sum(choice != "next" for choice in choices)


def _limit(choices: Iterable[str]) -> int:
    return max(LEAST_LIMIT, _moves(choices))


def _key(level: Level, saga: Saga, style: str) -> tuple[str, str]:
    return style, level.setup(saga, style, guarded=True).guards


def shortest(address: str, name: str, style: str) -> tuple[str, ...]:
    """The choices of a game that wins a level with the fewest moves and can be replayed as a schedule; () = none was found."""
    saga = load_saga(address)
    level = _named(saga, name)
    found = search(
        level.setup(saga, style),
        lambda position: level.won(position.ended, saga) and exported(position).same,
        moves=MOST_MOVES,
    )
    return found.won or ()


def every_game(setup: Setup, moves: int, names: tuple[str, ...]) -> Wins:
    """Play all games with at most so many moves, and count those that win each of these levels."""
    saga = load_saga(setup.saga)
    levels = [_named(saga, name) for name in names]
    tried, wins = 0, dict.fromkeys(names, 0)
    for position in games(setup, moves=moves):
        tried += 1
        for level in levels:
            wins[level.name] += level.won(position.ended, saga)
    return tried, wins


def some_schedules(space: Space, first: int, runs: int, names: tuple[str, ...]) -> Wins:
    """Simulate some schedules of a space, and count those that reach the goal of each of these levels."""
    saga = load_saga(space.saga)
    levels = [_named(saga, name) for name in names]
    wins = dict.fromkeys(names, 0)
    with without_collector():
        for number in range(first, first + runs):
            ended = play(space.schedule(number)).ended
            for level in levels:
                wins[level.name] += ended is not None and level.won(ended, saga)
    return runs, wins


def _guarded(
    address: str,
    saga: Saga,
    pairs: list[tuple[Level, str]],
    pars: Mapping[tuple[str, str], int],
    report: Callable[[str], None],
) -> dict[tuple[Setup, int], Wins]:
    """Levels with the same set-up share their games."""
    shared: dict[tuple[Setup, int], list[str]] = defaultdict(list)
    for level, style in pairs:
        limit = max(LEAST_LIMIT, pars[level.name, style])
        shared[level.setup(saga, style, guarded=True), limit].append(level.name)
    pieces = [(setup, moves, tuple(names)) for (setup, moves), names in shared.items()]
    found = {}
    for key, wins in zip(shared, over_cores(every_game, pieces), strict=True):
        found[key] = wins
        report(f"{key[0].style} with guards {key[0].guards}: {wins[0]:,} games, {wins[1]}")
    return found


def _random(
    address: str,
    saga: Saga,
    pairs: list[tuple[Level, str]],
    schedules: int,
    report: Callable[[str], None],
) -> dict[tuple[str, str], Wins]:
    shared: dict[tuple[str, str], list[str]] = defaultdict(list)
    for level, style in pairs:
        if level.harm and schedules:
            shared[_key(level, saga, style)].append(level.name)
    pieces = [
        (Space(styles=[style], faults=FAULTS, seed=SEED, saga=address, guards=guards), n,
         min(CHUNK, schedules - n), tuple(names))
        for (style, guards), names in shared.items()
        for n in range(0, schedules, CHUNK)
    ]  # fmt: skip
    found: dict[tuple[str, str], Wins] = {}
    for (space, *_), (runs, wins) in zip(pieces, over_cores(some_schedules, pieces), strict=True):
        key = space.styles[0], space.guards
        before, known = found.get(key, (0, dict.fromkeys(wins, 0)))
        found[key] = before + runs, {name: known[name] + n for name, n in wins.items()}
    for (style, guards), (runs, wins) in found.items():
        report(f"{style} with guards {guards}: {runs:,} schedules, {wins}")
    return found


def _named(saga: Saga, name: str) -> Level:
    return next(level for level in levels_of(saga) if level.name == name)


def document(proofs: Mapping[str, Mapping[str, Proof]], command: str) -> dict[str, Any]:
    """The file of what is known, with the command that makes it."""
    levels = {n: {style: asdict(one) for style, one in by.items()} for n, by in proofs.items()}
    return {"schema": 1, "made_by": command, "seed": SEED, "levels": levels}
