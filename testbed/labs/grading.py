"""The child process that runs a student's code and grades it: one JSON object a line for the parent (check.py).

It may hang, end itself or print what it likes: the parent reads a pipe of its own, and a watchdog ends what takes too long.
"""

import faulthandler
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO

from kernel.errors import UsageError
from kernel.loading import load_saga
from kernel.saga import Saga
from scenarios.campaigns.jobs import Job
from scenarios.campaigns.outcome import Outcome
from scenarios.campaigns.simulation.finding import Finding
from scenarios.campaigns.simulation.outcomes import schedule_of, simulated_outcome
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.shrink import look, shrink
from scenarios.campaigns.sweep import NOT_STRUCK, Sweep, result_of
from scenarios.campaigns.sweep import SCENARIO as ANY
from scenarios.catalog.index import scenarios_of
from scenarios.checks.index import findings_of
from scenarios.faults.space import Cell, singles
from scenarios.styles.index import STYLES
from testbed.labs.lab import Lab, find_lab
from testbed.labs.modules import Watch, check_modules, outbox_alone, watch_all

LIMIT_S = 10.0
"""One simulated run takes some milliseconds; one that takes longer than this hangs."""
IN_C_S = 2.0
SLOW_S, SHRINK_S = 3.0, 60.0
"""What takes longer to find is not made smaller: that takes a hundred runs more."""
SEED, TIME_SCALE, RATE_PER_S = 1, 0.05, 100.0
SCENARIO_ORDERS, CELL_ORDERS = 20, 2
FAILING = "failing.json"
"""The schedule of the first order that fails, in the student's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that is graded: a scenario or a cell of the sweep. `group`: the line of the table in which it counts."""

    group: str
    job: Job
    cell: Cell | None = None

    def name(self) -> str:
        """Style and what happens."""
        return self.cell.key if self.cell else f"{self.job.style}: {self.group}"


def grade(lab: Lab, folder: Path, tell: Callable[..., None], alive: Callable[..., None]) -> None:
    """Grade it. `tell`: takes what the parent is to know, as keywords. `alive`: called whenever a piece of work begins, with how long it may take."""
    alive()
    saga = load_saga(str(folder))
    check_modules(saga, folder)
    watch = Watch(folder)
    mistakes = [str(finding) for finding in findings_of(saga)] if lab.about.get("reader") else []
    parts = list(_parts(lab, saga))
    watch_all(saga, watch)
    tell(
        parts=len(parts),
        mistakes=len(mistakes),
        own=_own_steps(lab, saga),
        alone=outbox_alone(saga.outbox) if saga.outbox else "",
    )
    first = True
    for part in parts:
        alive()
        watch.raised = ""
        tell(begun=part.name())
        outcome = simulated_outcome(part.job, SEED)
        why = _failing(part, outcome, watch)
        tell(group=part.group, style=part.job.style, passes=not why)
        if why and first:
            first = False
            alive(SHRINK_S)
            tell(first=part.name(), why=why, replay=_schedule_left(part, folder))
    tell(end=True)


def _own_steps(lab: Lab, saga: Saga) -> int:
    """How many steps more it has than it needs to have."""
    return len(saga.steps) - int(lab.about.get("least_steps", 0))


def _parts(lab: Lab, saga: Saga) -> Iterator[Part]:
    """All of one style before the next: that is how one works at it."""
    for style in STYLES:
        yield from _scenarios(lab, saga, style)
        yield from _cells(lab, saga, style)


def _scenarios(lab: Lab, saga: Saga, style: str) -> Iterator[Part]:
    own = (name for name in scenarios_of(saga) if name != ANY)
    for name in lab.listed("scenarios") or own:
        job = Job(
            key=name,
            scenario=name,
            style=style,
            orders=SCENARIO_ORDERS,
            seed=SEED,
            time_scale=TIME_SCALE,
            rate_per_s=RATE_PER_S,
            saga=saga.address,
        )
        yield Part(group=f"scenario {name}", job=job)


def _cells(lab: Lab, saga: Saga, style: str) -> Iterator[Part]:
    moments, operations = lab.listed("moments"), lab.listed("operations")
    for cell in singles(saga, [style]):
        (strike,) = cell.strikes
        asked = strike.moment in (moments or (strike.moment,))
        asked = asked and strike.operation in (operations or (strike.operation,))
        if asked and not cell.not_run() and not cell.breaks_a_promise():
            yield Part(group=str(strike.moment), job=_sweep(saga).job(cell), cell=cell)


def _sweep(saga: Saga) -> Sweep:
    return Sweep(
        depth=1,
        sample=0,
        styles=list(STYLES),
        guards="all",
        broker="memory",
        engine="auto",
        orders=CELL_ORDERS,
        seed=SEED,
        rate_per_s=RATE_PER_S,
        time_scale=TIME_SCALE,
        variant=saga.variant,
        saga=saga.address,
        simulated=True,
    )


def _failing(part: Part, outcome: Outcome, watch: Watch) -> str:
    """Why a part does not pass; "" = it does."""
    if watch.raised:
        return watch.raised
    if part.cell is None:
        return "" if outcome.as_expected else _first_problem(outcome)
    result = result_of(part.cell, outcome, variant=part.job.variant)
    if result.unexpected:
        return f"{result.worst}: {result.why}"
    return result.why if result.worst == NOT_STRUCK else ""


def _first_problem(outcome: Outcome) -> str:
    """What is wrong with an order, if that is known, or else with the run."""
    about_orders = (p for p in outcome.problems if p.startswith("order-"))
    worst = outcome.worst()
    known = (*about_orders, *outcome.problems_of(worst), *outcome.problems, outcome.judgement)
    return known[0] if known[0] in outcome.problems else f"{worst}: {known[0]}"


def _schedule_left(part: Part, folder: Path) -> str:
    """Leave the smallest schedule that fails so; the command that replays it."""
    schedule = schedule_of(part.job, turns=SEED)
    begun_s = time.monotonic()
    found = _first_finding(schedule)
    if found is None:
        smallest = _shortest(part, schedule)
    elif time.monotonic() - begun_s > SLOW_S:
        smallest = found.schedule
    else:
        smallest = shrink(found).schedule
    path = folder / FAILING
    path.write_text(json.dumps(smallest.to_json(), indent=1) + "\n", encoding="utf-8")
    return f"saga replay --simulated {path}"


def _first_finding(schedule: Schedule) -> Finding | None:
    """What is wrong with the fewest orders, the scenario's own faults among those that may be left out."""
    for orders in range(1, schedule.orders + 1):
        fewer = replace(schedule, orders=orders)
        if found := look(replace(fewer, scenario=ANY, faults=fewer.whole_plan)):
            return found
    return None


def _shortest(part: Part, schedule: Schedule) -> Schedule:
    """The fewest orders of a scenario with which it ends otherwise than it says, though no rule is broken."""
    for orders in range(1, part.job.orders if part.cell is None else 0):
        if not simulated_outcome(replace(part.job, orders=orders), SEED).as_expected:
            return replace(schedule, orders=orders)
    return schedule


def main() -> None:
    """`python -m testbed.labs.grading LAB FOLDER PIPE STACK`: the number of the pipe to the parent, and where a hang leaves its stack."""
    lab, folder = find_lab(sys.argv[1]), Path(sys.argv[2])
    stack = Path(sys.argv[4]).open("w", encoding="utf-8")  # noqa: SIM115 - the watchdog writes into it as long as this process lives
    with os.fdopen(int(sys.argv[3]), "w", encoding="utf-8") as pipe:

        def tell(**about: Any) -> None:
            _send(pipe, about)

        def end(number: int, frame: FrameType | None) -> NoReturn:
            stack.writelines(
                f'File "{at.f_code.co_filename}", line {line} in {at.f_code.co_name}\n'
                for at, line in traceback.walk_stack(frame)
            )
            stack.flush()
            os._exit(1)

        def alive(limit_s: float = LIMIT_S) -> None:
            signal.setitimer(signal.ITIMER_REAL, limit_s)
            # For what never comes back to Python; it may crash while it reads frames that go on running.
            faulthandler.dump_traceback_later(limit_s + IN_C_S, exit=True, file=stack)

        signal.signal(signal.SIGALRM, end)

        try:
            grade(lab, folder, tell, alive)
        except UsageError as error:
            tell(usage=str(error))
        except SystemExit as error:
            tell(raised=Watch(folder).told(error))


def _send(pipe: TextIO, about: dict[str, Any]) -> None:
    pipe.write(json.dumps(about) + "\n")
    pipe.flush()


if __name__ == "__main__":
    main()
