"""What is done to a run's coordinator and wires when a fault plan says so: at a logical moment, the same in every style.

The moment is the arrival of a request at its participant. In one process the request waits until the coordinator is down;
a participant in a process of its own leaves a note in its record, which is looked at often.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from kernel.errors import Failure, UsageError
from kernel.ports import Clock
from scenarios.faults.plan import BROKEN_PROMISES, DISTURBANCES, Fault, Moment
from scenarios.faults.planned import PlannedFaults
from scenarios.faults.record import read_record
from scenarios.runs.customers import Customer
from scenarios.runs.environment import RunningSystem

LOOK_S = 0.02
"""How often the notes of other processes are looked at."""


class FaultInjector:
    """Carries the plan's disturbances out, one at a time."""

    def __init__(
        self,
        running_system: RunningSystem,
        *,
        faults: PlannedFaults,
        clock: Clock,
        customers: Sequence[Customer],
        failed: Callable[[str], None],
        elsewhere: Sequence[Path] = (),
    ) -> None:
        """`failed` is told what cannot be done here. `elsewhere`: the records of participants' own processes."""
        self._running, self._faults, self._clock = running_system, faults, clock
        self._saga = faults.saga
        self._customers, self._failed, self._elsewhere = customers, failed, elsewhere
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.orders_in_flight = 0
        """Most orders that were known to the service that opens sagas or to their customer and not over when the coordinator was disturbed."""

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Disturb what the plan says as long as the context is open; what has begun is ended."""
        moments = {fault.moment for fault in self._faults.plan.faults}
        self._faults.disturb = self._at_once
        if self._elsewhere and moments & (DISTURBANCES | BROKEN_PROMISES):
            self._begin(self._look_elsewhere())
        try:
            yield
        finally:
            self._faults.disturb = None
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _at_once(self, fault: Fault, order_id: str, attempt: int) -> None:
        """Return when the disturbance has begun, however the caller's own connection fares."""
        begun = asyncio.Event()
        numbered = enumerate(self._faults.plan.faults)
        number = next(number for number, planned in numbered if planned is fault)
        self._begin(self._disturb(number, order_id, attempt, begun))
        await begun.wait()

    async def _look_elsewhere(self) -> None:
        seen: set[tuple[int, str, int]] = set()
        while True:
            await self._clock.sleep(LOOK_S)
            for path in self._elsewhere:
                for key, injection in read_record(path).injections.items():
                    fault = self._faults.plan.faults[key[0]]
                    if fault.moment in DISTURBANCES | BROKEN_PROMISES and key not in seen:
                        seen.add(key)
                        if not injection.struck:
                            self._begin(self._disturb(*key, asyncio.Event()))

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _disturb(
        self, number: int, order_id: str, attempt: int, begun: asyncio.Event
    ) -> None:
        fault = self._faults.plan.faults[number]
        with self._faults.holding():
            try:
                async with self._one_at_a_time:
                    await self._count()
                    end = await self._start(fault, order_id)
                    begun.set()
                    if end is None:
                        return
                    address = (order_id, fault.operation, attempt, fault.moment)
                    self._faults.record.note("struck", number, *address, self._clock.mono_s())
                    try:
                        await self._clock.sleep(self._faults.delay_s(fault))
                    finally:
                        await end()
            except (Failure, OSError, UsageError) as error:
                self._failed(f"{fault}: {error}")
            finally:
                begun.set()

    async def _start(self, fault: Fault, order_id: str) -> Callable[[], Awaitable[None]] | None:
        """Bring it about; how to end it. None = it cannot be done here."""
        coordinator, wires = self._running.coordinator, self._running.wires
        if fault.moment is Moment.COORDINATOR_UNREACHABLE:
            wire = wires.get(self._saga.served_by[fault.operation])
            if wire is None:
                self._failed("on this backend there is no wire that can be cut from here")
                return None
            wire.cut()
            return _soon(wire.mend)
        if coordinator is None:
            self._failed("the coordinator of this backend cannot be killed or frozen from here")
            return None
        if fault.moment is Moment.COORDINATOR_FROZEN:
            coordinator.freeze()
            return _soon(coordinator.thaw)
        if fault.moment is Moment.COORDINATOR_FORGOT:
            if self._running.forget is None:
                self._failed("the coordinator of this backend cannot be made to forget from here")
                return None
            await self._running.forget(order_id)
            return _soon(lambda: None)
        await coordinator.kill()
        return coordinator.restart

    async def _count(self) -> None:
        ledgers = await self._running.system.ledgers()
        orders = ledgers[self._saga.opener]["orders"]
        known = {c.order.order_id for c in self._customers if c.accepted_mono_s is not None}
        known |= {r["order_id"] for r in orders}  # before its customer has heard of it
        over = {r["order_id"] for r in orders if r["status"] != "PENDING"}
        self.orders_in_flight = max(self.orders_in_flight, len(known - over))


def _soon(act: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def soon() -> None:
        act()

    return soon
