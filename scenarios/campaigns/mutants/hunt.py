"""Each mutant explored in a process of its own, until something is wrong or its schedules have passed."""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from kernel.errors import Failure, first
from scenarios.campaigns.mutants.index import mutants_of
from scenarios.campaigns.mutants.mutant import Mutant
from scenarios.campaigns.simulation.cores import over_cores
from scenarios.campaigns.simulation.finding import FAILED, Finding, finding
from scenarios.campaigns.simulation.schedule import Schedule, Space
from scenarios.campaigns.simulation.simulated import Simulated, play
from scenarios.faults.plan import FaultPlan

FAULTS = 0, 3
"""Fewest and most faults in a schedule."""
LOOKED_AT = 300
"""Most schedules in which one looks whether they come to what a surviving mutant changes."""
CPU_S = 20.0
"""What one schedule may take of a core; it usually takes a hundredth of a second."""
KILLED, SURVIVED, INVALID = "killed", "survived", "invalid"
NEVER_ENDS = "a run ends"
"""The rule that a mutant breaks which neither waits nor returns."""
_BUSY = "still busy"
"""What the simulation says of a run that never waits: to look again would take as long."""
DIES = "a process lives"
"""The rule that a mutant breaks which ends the process itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunted:
    """What became of a mutant in a style.

    `schedules`: how many it took, the last one included; all of them if it survived. `rules`: those that the killing schedule
    breaks. `faults`: at most so many are needed; None = it was not killed. `crashed`: whether an exception is among what is
    wrong. `reached`: of one that survived, whether a run without it comes to what is changed; None = nobody looked. `why`: in
    words, one line.
    """

    mutant: str
    style: str
    outcome: str
    schedules: int
    rules: tuple[str, ...] = ()
    faults: int | None = None
    crashed: bool = False
    reached: bool | None = None
    why: str = ""


def hunt_mutants(
    address: str, wanted: Iterable[tuple[Mutant, str]], *, runs: int, seed: int
) -> Iterator[Hunted]:
    """The outcome of each mutant in each style, in their order. `address`: of the saga. Raise Failure if a worker dies."""
    pieces = ((address, mutant.address, style, runs, seed) for mutant, style in wanted)
    return over_cores(hunt_one, pieces)


def hunt_one(address: str, mutant: str, style: str, runs: int, seed: int) -> Hunted:
    """One mutant in one style, in a child: what it breaks there is gone with it."""
    fork = multiprocessing.get_context("fork")
    mutants_of(address)  # before it is forked: children share it
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=_in_child, args=(there, address, mutant, style, runs, seed))
    child.start()
    there.close()
    so_far = Hunted(mutant=mutant, style=style, outcome=SURVIVED, schedules=0)
    with contextlib.suppress(EOFError):
        while True:
            so_far = here.recv()
    child.join()
    here.close()
    if child.exitcode == 0:
        return so_far
    if child.exitcode == 1:
        raise Failure(f"{mutant} in the {style} could not be explored: see the message above")
    endless = child.exitcode == -signal.SIGPROF
    return replace(
        so_far,
        outcome=KILLED,
        schedules=so_far.schedules + 1,
        rules=(NEVER_ENDS if endless else DIES,),
        faults=FAULTS[1],
        why=f"more than {CPU_S:g} s of a core for one schedule"
        if endless
        else f"exit code {child.exitcode}",
    )


def _in_child(tell: Connection, *arguments: Any) -> None:
    with contextlib.suppress(BrokenPipeError):  # the worker has been ended
        _hunt(tell, *arguments)


def _hunt(tell: Connection, address: str, name: str, style: str, runs: int, seed: int) -> None:
    """Send what is known before each schedule, and the outcome at the end."""
    parent = os.getppid()
    logging.disable()  # what a mutant makes the engine say is no news
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    mutant = mutants_of(address)[name]
    space = Space(styles=[style], faults=FAULTS, seed=seed, saga=address, variants=mutant.variants)
    known = Hunted(mutant=name, style=style, outcome=SURVIVED, schedules=0)
    for number in range(runs):
        if os.getppid() != parent:
            return
        tell.send(known)
        schedule = space.schedule(number)
        outcome = _look(mutant, schedule)
        known = replace(known, schedules=number + 1)
        if isinstance(outcome, str):
            tell.send(replace(known, outcome=INVALID, schedules=0, why=outcome))
            return
        if outcome is not None:
            tell.send(_killed(known, mutant, outcome))
            return
    tell.send(replace(known, reached=_reached(mutant, space, runs)))


def _reached(mutant: Mutant, space: Space, runs: int) -> bool | None:
    """Whether one of the schedules comes to the line that the mutant changes."""
    if mutant.line is None:
        return None
    file, line = mutant.line
    hit = False

    def inside(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal hit
        hit = hit or frame.f_lineno == line
        return None if hit else inside

    def entered(frame: FrameType, event: str, argument: Any) -> Any:
        return inside if not hit and frame.f_code.co_filename == file else None

    for number in range(min(runs, LOOKED_AT)):
        sys.settrace(entered)
        try:
            play(space.schedule(number))
        finally:
            sys.settrace(None)
        if hit:
            return True
    return False


def _killed(known: Hunted, mutant: Mutant, found: Finding) -> Hunted:
    busy = any(_BUSY in why for why in found.why)
    small = found if busy else _fewest_faults(mutant, found)
    return replace(
        known,
        outcome=KILLED,
        rules=found.rules,
        faults=len(small.schedule.faults.faults),
        crashed=FAILED in found.rules,
        why=" ".join(found.why[0].split())[:300],
    )


def _look(mutant: Mutant, schedule: Schedule) -> Finding | str | None:
    """What is wrong under a schedule, None = nothing; or why the mutant is invalid, in words."""
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    try:
        with ExitStack() as stack:
            try:
                mutant.plant(stack)
            except Exception as error:
                return f"{first(error)!r}"
            simulated = play(schedule)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if simulated.ended is None and not _opened(simulated):
        return f"nothing could be opened: {simulated.failure}"
    return finding(schedule, simulated)


def _opened(simulated: Simulated) -> bool:
    """Whether the system was open when a run failed: a customer came, or the run waited for one."""
    return any(entry[1] == "called" for entry in simulated.log)


def _fewest_faults(mutant: Mutant, found: Finding) -> Finding:
    """The same rule broken with fewer faults, left out one after the other; delays stay."""
    rules, smaller = set(found.rules), True
    while smaller:
        smaller = False
        faults = found.schedule.faults.faults
        for place in range(len(faults)):
            fewer = FaultPlan(faults=faults[:place] + faults[place + 1 :])
            again = _look(mutant, replace(found.schedule, faults=fewer))
            if isinstance(again, Finding) and rules & set(again.rules):
                found, smaller = again, True
                break
    return found
