"""One run under virtual time: the same driver, styles and judge as any other run, with nothing else of this machine in it."""

import asyncio
import gc
import hashlib
import json
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from kernel.errors import first
from kernel.memory_files import MemoryFolder
from kernel.ports import Parked
from kernel.saga import Saga
from kernel.tracing import NoTracer
from scenarios.campaigns.simulation.loop import NeverEnds, SimulatedLoop
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.world import EMBEDDED, REAL, World, world
from scenarios.catalog.bugs import planted
from scenarios.faults.injector import FaultInjector
from scenarios.faults.plan import DISTURBANCES
from scenarios.faults.record import FaultRecord
from scenarios.runs.driver import Driver, Ended
from scenarios.runs.environment import RunEnvironment, RunningSystem
from scenarios.runs.reader import Reader
from scenarios.runs.spec import RunSpec
from scenarios.styles.index import STYLES

EPOCH_S = 1_000_000_000.0
"""When virtual time begins, in seconds since the epoch: the same for every run."""
LIMIT_S = 10_000.0
"""No run needs more virtual time than this, or it never ends."""
CPU_S = 60.0
"""No run needs more of a processor."""
TICK_S = 1e-6
"""What a turn of the loop takes, so that nothing happens at the same time as anything else."""


class VirtualClock:
    """The Clock port over a loop's virtual time."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def wall_s(self) -> float:
        """Seconds since the epoch."""
        return EPOCH_S + self.mono_s()

    def mono_s(self) -> float:
        """Seconds of virtual time."""
        return self._loop.time() + self._loop.turns * TICK_S

    async def sleep(self, seconds: float) -> None:
        """Return once virtual time has come so far."""
        await asyncio.sleep(seconds)


class EventLog(FaultRecord, NoTracer):
    """All that happened, in order: (virtual time, what). As a tracer it hears of every call, as a record of every fault.

    The spans that it keeps are what customers and participants do; hops between them are in the faults' record.
    """

    def __init__(self, clock: VirtualClock, saga: Saga) -> None:
        super().__init__()
        served = saga.served_by.items()
        self._calls = {"place order", *(f"{name} {operation}" for operation, name in served)}
        self._clock = clock
        self.changed: Callable[[str], None] = lambda order_id: None
        """Told of every order to which something may have happened."""
        self.entries: list[tuple[Any, ...]] = []
        self._open = True

    def close(self) -> None:
        """Hear no more: what is cancelled from now on is no part of the run."""
        self._open = False

    def note(self, *entry: Any) -> None:
        """See FaultRecord."""
        super().note(*entry)
        if entry[0] in ("reached", "struck"):
            entry = entry[:-1]
        if self._open and entry[0] not in ("held", "arrived"):
            self.entries.append((self._clock.mono_s(), *entry))

    @contextmanager
    def span(self, name: str, *, parent: str, order_id: str, **about: str) -> Iterator[str]:
        """See ports.Tracer."""
        if name not in self._calls:
            yield parent
            return
        self.note("called", order_id, name)
        try:
            yield parent
        except BaseException as failure:
            self.note("failed", order_id, name, type(failure).__name__)
            self.changed(order_id)
            raise
        self.note("returned", order_id, name)
        self.changed(order_id)

    def sent(self, parked: list[Parked]) -> None:
        """An operator has sent these on."""
        for one in parked:
            self.note("redriven", one.order_id, one.operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What a simulated run came to. `ended` None = it did not come to its end.

    `again`: the same once what was parked has been sent on; None = it was not asked for.
    `failure`: what failed that no scenario is about, "" = nothing. `hitches`: what the testbed could not do. `backlog`: messages or executions that were left.
    """

    ended: Ended | None
    again: Ended | None = None
    failure: str
    hitches: tuple[str, ...]
    backlog: int
    log: list[tuple[Any, ...]]
    virtual_s: float
    turns: int


@contextmanager
def without_collector() -> Iterator[None]:
    """Without the garbage collector: when it runs depends on more than the seed, and finalizers may do anything."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextmanager
def ended_by_force(troubles: list[str]) -> Iterator[None]:
    """A loop that never comes back to the event loop is ended after CPU_S of this process; only a main thread can do that.

    It is noted in `troubles`, too: whoever catches everything catches this.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> NoReturn:
        troubles.append(f"still busy after {CPU_S:g} s without giving way")
        raise NeverEnds(troubles[-1])

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_S, CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def play(schedule: Schedule) -> Simulated:
    """Carry a schedule out."""
    return simulate(
        schedule.spec(), turns=schedule.turns, bug=schedule.bug, adapters=schedule.adapters
    )


def simulate(
    spec: RunSpec,
    *,
    turns: int | None,
    bug: str = "",
    adapters: str = EMBEDDED,
    redrive: bool = True,
) -> Simulated:
    """Carry a run out under virtual time. The same arguments give the same log, byte for byte.

    `turns`: the seed of the order in which what is ready at one instant runs; None = first come, first served.
    `bug`: a planted bug that is in the code meanwhile. `adapters`: see world.ADAPTERS. `redrive`: whether what is parked is sent on
    in the end, to see whether it can be finished.
    """
    surroundings = world(adapters, turns, limit_s=LIMIT_S)
    loop = surroundings.loop
    clock = VirtualClock(loop)
    log = EventLog(clock, spec.saga)
    # Weather, which no fault plan names, has what a broken connection had in hand asked for again.
    weather = adapters == REAL and turns is not None
    driver = Driver(spec, clock=clock, tracer=log, record=log, exact=not weather)
    ended, again, failure, backlog = None, None, "", 0
    try:
        with (
            without_collector(),
            ended_by_force(loop.troubles),
            planted(spec.saga.address, bug),
            surroundings.around(),
            MemoryFolder(reused=True) as folder,
        ):
            ended, again, backlog = loop.run_until_complete(
                _played_out(spec, driver, log, folder, surroundings, redrive=redrive)
            )
    except NeverEnds as error:
        failure = str(error)
    except Exception as error:
        failure = f"{first(error)!r}"
    return Simulated(
        ended=ended,
        again=again,
        failure=failure or next(iter(loop.troubles), ""),
        hitches=tuple(driver.failures),
        backlog=backlog,
        log=log.entries,
        virtual_s=loop.time(),
        turns=loop.turns,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A system under virtual time, before its first customer has come."""

    environment: RunEnvironment
    running: RunningSystem


@asynccontextmanager
async def staged(
    spec: RunSpec, driver: Driver, folder: MemoryFolder, surroundings: World
) -> AsyncIterator[Stage]:
    """Open the system of a run."""
    async with AsyncExitStack() as stack:
        backends = await stack.enter_async_context(surroundings.backends())
        environment = await stack.enter_async_context(
            RunEnvironment.open(
                folder,
                driver.environment,
                run_id="simulated",
                backends=backends,
                faults=driver.faults,
                cuttable=spec.needs_wires(),
                entropy=bytes,
            )
        )
        await environment.participants.stock_up(spec.units())
        running_system = await stack.enter_async_context(STYLES[spec.style].open(environment))
        yield Stage(environment=environment, running=running_system)


@asynccontextmanager
async def attended(
    stage: Stage, driver: Driver, log: EventLog
) -> AsyncIterator[tuple[FaultInjector, Reader]]:
    """Start it, with its fault injector, and a reader who looks at an order whenever something may have happened to it."""
    injector = driver.disturber(stage.running)
    await driver.start()
    reader = Reader(stage.running.system, stage.environment.participants, driver.customers)
    log.changed = reader.look_at
    async with injector.at_work(), asyncio.TaskGroup() as looking:
        reading = looking.create_task(reader.run())
        yield injector, reader
        reading.cancel()


async def _played_out(
    spec: RunSpec,
    driver: Driver,
    log: EventLog,
    folder: MemoryFolder,
    surroundings: World,
    *,
    redrive: bool,
) -> tuple[Ended, Ended, int]:
    """The end, the end once everything parked was sent on, and what is left to do then."""
    async with staged(spec, driver, folder, surroundings) as stage:
        system = stage.running.system
        async with attended(stage, driver, log) as (injector, reader):
            planned = {fault.moment for fault in driver.plan.faults}
            async with surroundings.weather(kills=not planned & DISTURBANCES):
                await driver.serve(system, lambda customer: None)
                settlement = await driver.settle(system)
            await reader.reload()
            ended = await driver.end(
                system, settlement=settlement, orders_in_flight=injector.orders_in_flight
            )
            again = ended
            if redrive:
                again = await driver.send_on(
                    system, ended, orders_in_flight=injector.orders_in_flight, sent=log.sent
                )
                if again.verdict.is_bad() or again.settlement.how == "deadline":
                    ended = again
        backlog = await surroundings.left_over(system.backlog)
    log.close()
    return ended, again, backlog


def log_bytes(simulated: Simulated) -> bytes:
    """The event log and the ledgers of a run as lines of JSON."""
    lines: list[Any] = [*simulated.log]
    if simulated.ended is not None:
        lines.append(simulated.ended.ledgers)
    lines.append([simulated.turns, simulated.virtual_s, simulated.failure])
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def digest(simulated: Simulated) -> str:
    """Names a log."""
    return hashlib.sha256(log_bytes(simulated)).hexdigest()[:16]
