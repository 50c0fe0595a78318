"""The judge of the explorer: how many schedules it takes to find each planted bug, and how small it then gets."""

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from scenarios.jobs import WORKERS
from scenarios.planted.bug import Bug
from scenarios.simulation.explore import begin_worker
from scenarios.simulation.finding import Finding, finding
from scenarios.simulation.schedule import Space
from scenarios.simulation.shrink import shrink
from scenarios.simulation.simulated import simulate


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunted:
    """One bug in one style. `run`: how many schedules it took, None = not found in `runs`. `right`: whether a rule that should find it did."""

    bug: str
    style: str
    runs: int
    run: int | None
    found: Finding | None = None
    shrunk: Finding | None = None
    expected: str = ""


def hunt(
    bugs: Iterable[Bug],
    *,
    styles: Iterable[str],
    faults: tuple[int, int],
    runs: int,
    seed: int,
    told: Callable[[Hunted], None] = lambda one: None,
) -> list[Hunted]:
    """Look for every bug in every style that can have it, each until it is found or `runs` schedules have passed."""
    chosen = [(bug, style) for bug in bugs for style in bug.found_by if style in set(styles)]
    results: dict[tuple[str, str], Hunted] = {}
    with ProcessPoolExecutor(
        WORKERS, mp_context=multiprocessing.get_context("spawn"), initializer=begin_worker
    ) as pool:
        hunts = [
            pool.submit(
                _hunt_one,
                Space(styles=[style], faults=faults, seed=seed, bug=bug.name),
                runs,
                str(bug.found_by[style]),
            )
            for bug, style in chosen
        ]
        for done in as_completed(hunts):
            one = done.result()
            results[one.bug, one.style] = one
            told(one)
    return [results[bug.name, style] for bug, style in chosen]


def _hunt_one(space: Space, runs: int, expected: str) -> Hunted:
    (style,) = space.styles
    for number in range(runs):
        schedule = space.schedule(number)
        simulated = simulate(schedule.spec(), turns=schedule.turns, bug=schedule.bug)
        if found := finding(schedule, simulated):
            return Hunted(
                bug=space.bug,
                style=style,
                runs=runs,
                run=number + 1,
                found=found,
                shrunk=shrink(found),
                expected=expected,
            )
    return Hunted(bug=space.bug, style=style, runs=runs, run=None, expected=expected)
