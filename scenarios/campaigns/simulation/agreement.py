"""The judge of the simulation: the same schedules on real backends, order by order.

A schedule fixes orders, faults and delays by logical address; which of two messages that travel at once is quicker, only the
simulation decides. So a real run may end otherwise and both be right: then the simulation comes to the same end in another order.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kernel.loading import load_saga
from scenarios.campaigns.jobs import Job, run_jobs
from scenarios.campaigns.outcome import Outcome
from scenarios.campaigns.simulation.cores import over_cores
from scenarios.campaigns.simulation.outcomes import simulated_outcome
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.faults.plan import BROKEN_PROMISES, DISTURBANCES, Fault, FaultPlan, Moment
from scenarios.runs.environment import Backends

VARIATIONS = 40
"""Other orders in which the simulation tries to come to the real end."""
SLOWEST_MESSAGE_S, SLOWEST_RESTART_S = 0.3, 60.0
"""Unscaled: what a message and a restart may take on a loaded machine, in those tries: a node of RabbitMQ needs four real seconds."""

Ends = tuple[tuple[str, bool], ...]
Laws = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One schedule on both. Ends are (class, told a lie) of each order, and the broken laws; `real` is empty if the real run said
    nothing, and `why` says why.

    `reached`: whether the simulation comes to the real end in another order of the same schedule; None if it was not tried.
    """

    number: int
    schedule: Schedule
    simulated: Ends
    real: Ends
    laws: Laws
    """Broken in the simulation, and in the real run."""
    reached: bool | None
    why: str
    folder: str

    @property
    def agrees(self) -> bool:
        """Whether every order ended alike, and the same laws broke."""
        return self.simulated == self.real and self.laws[0] == self.laws[1]


def compare(
    schedules: Sequence[tuple[int, Schedule]],
    *,
    broker: str,
    engine: str,
    time_scale: float,
    runs: Path,
    done: Callable[[], None] = lambda: None,
) -> list[Agreement]:
    """Replay numbered schedules on these backends, in real time; folders of those that end otherwise are kept below `runs`."""
    by_key = {str(number): (number, schedule) for number, schedule in schedules}
    jobs = {key: s.job(key, time_scale=time_scale) for key, (_, s) in by_key.items()}
    virtual = {
        outcome.key: outcome
        for outcome in over_cores(
            simulated_outcome,
            ((s.job(k), s.turns) for k, (_, s) in by_key.items()),
        )
    }
    real: dict[str, Outcome] = {}

    def note(outcome: Outcome) -> None:
        real[outcome.key] = outcome
        done()

    private = Backends(broker=broker, engine=engine).pair != "embedded"
    for alone in (False, True):
        chosen = [job for job in jobs.values() if (_needs_it_all(job) and private) is alone]
        if chosen:
            run_jobs(
                chosen,
                broker=broker,
                engine=engine,
                at_once=1 if alone or any(job.bug for job in chosen) else 3,
                runs=runs,
                keep=lambda outcome: _all(outcome) != _all(virtual[outcome.key]),
                done=note,
            )
    found = []
    for key, (number, schedule) in by_key.items():
        there, here = real[key], virtual[key]
        said = not there.failures
        alike = _all(there) == _all(here)
        found.append(
            Agreement(
                number=number,
                schedule=schedule,
                simulated=_ends(here),
                real=_ends(there) if said else (),
                laws=(tuple(here.laws), tuple(there.laws)),
                reached=None if alike or not said else _reaches(schedule, there),
                why="; ".join(real[key].failures),
                folder=real[key].folder,
            )
        )
    return found


def _needs_it_all(job: Job) -> bool:
    """Whether it disturbs the coordinator of everybody."""
    return any(fault.moment in DISTURBANCES | BROKEN_PROMISES for fault in job.plan.faults)


def _all(outcome: Outcome) -> tuple[Ends, list[str]]:
    return _ends(outcome), outcome.laws


def _ends(outcome: Outcome) -> Ends:
    return tuple((str(order_class), bool(lied)) for order_class, lied, _ in outcome.orders)


def _reaches(schedule: Schedule, real: Outcome) -> bool:
    """Whether the simulation comes to the same if the messages take other times and other turns."""
    tries = ((varied.job(), varied.turns) for varied in variations(schedule))
    return any(_all(outcome) == _all(real) for outcome in over_cores(simulated_outcome, tries))


def variations(schedule: Schedule) -> list[Schedule]:
    """The same orders and faults, with every message and restart taking some time, drawn anew each time."""
    found = []
    for number in range(VARIATIONS):
        chance = random.Random(f"{schedule.seed}:{number}")
        most_s = chance.uniform(0, SLOWEST_MESSAGE_S)
        little = [
            Fault(
                orders=(order,),
                operation=operation,
                moment=moment,
                attempts="all",
                for_s=round(chance.uniform(0, most_s), 4),
            )
            for order in range(schedule.orders)
            for operation in load_saga(schedule.saga).operations
            for moment in (Moment.REQUEST_DELAYED, Moment.ANSWER_DELAYED)
        ]
        slowly = [
            replace(fault, for_s=fault.lasts_s() + chance.uniform(0, SLOWEST_RESTART_S))
            if fault.moment is Moment.COORDINATOR_KILLED
            else fault
            for fault in schedule.faults.faults
        ]
        found.append(
            replace(
                schedule,
                turns=chance.randrange(2**31),
                faults=FaultPlan(faults=tuple(slowly)),
                delays=schedule.delays + FaultPlan(faults=tuple(little)),
            )
        )
    return found
