"""The judge of the explorer: how many schedules it takes to find each planted bug, and how small it then gets."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from kernel.saga import Saga
from scenarios.campaigns.simulation.cores import over_cores
from scenarios.campaigns.simulation.finding import Finding
from scenarios.campaigns.simulation.schedule import Space
from scenarios.campaigns.simulation.shrink import look, shrink
from scenarios.catalog.bug import Bug


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunted:
    """One bug in one style. `run`: how many schedules it took, None = not found in `runs`. `expected`: the rule that should find it."""

    bug: str
    style: str
    runs: int
    run: int | None
    shrunk: Finding | None = None
    expected: str = ""


def hunt(
    saga: Saga,
    bugs: Iterable[Bug],
    *,
    styles: Collection[str],
    faults: tuple[int, int],
    runs: int,
    seed: int,
    told: Callable[[Hunted], None] = lambda one: None,
) -> list[Hunted]:
    """Look for every bug in every style that can have it, each until it is found or `runs` schedules have passed."""
    pieces = [
        (
            # Bugs of the coordination are planted in the usual order of the steps.
            Space(
                styles=[style],
                faults=faults,
                seed=seed,
                saga=saga.address,
                variants=[saga.variant],
                bug=bug.name,
            ),
            runs,
            str(rule),
        )
        for bug in bugs
        for style, rule in bug.found_by.items()
        if style in styles
    ]
    found = []
    for one in over_cores(_hunt_one, pieces):
        found.append(one)
        told(one)
    return found


def _hunt_one(space: Space, runs: int, expected: str) -> Hunted:
    (style,) = space.styles
    for number in range(runs):
        schedule = space.schedule(number)
        if found := look(schedule):
            return Hunted(
                bug=space.bug,
                style=style,
                runs=runs,
                run=number + 1,
                shrunk=shrink(found),
                expected=expected,
            )
    return Hunted(bug=space.bug, style=style, runs=runs, run=None, expected=expected)
