"""Troubles while customers come, one after another or several at once: what a soak does to a run, drawn from a seed."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from kernel.orders import TERMINAL
from kernel.participants import Participants
from kernel.ports import Clock, Disturbance
from scenarios.faults.soft_wire import SoftWire
from scenarios.faults.tcp_proxy import TcpProxy
from scenarios.runs.customers import Customer
from scenarios.runs.processes import ParticipantProcess

Trouble = Callable[[], AbstractAsyncContextManager[bool]]
"""Brings a trouble about when entered, and ends it when left. Yields whether it lasts meanwhile."""
SHORTEST_S, LONGEST_S = 0.5, 3.0
"""How long a trouble lasts that has a duration."""
RECOVERY_POLL_S = 0.1
MOST_ASKED = 32
"""Sagas that are looked at for a sign of recovery."""
KILLED, FROZEN = "coordinator killed (-9) and restarted", "coordinator frozen"
_NEVER_TOGETHER = {KILLED, FROZEN}
"""A process that is being killed cannot be frozen."""


def common_troubles(
    coordinator: Disturbance | None,
    wires: Mapping[str, TcpProxy | SoftWire],
    processes: Mapping[str, ParticipantProcess],
) -> dict[str, Trouble]:
    """Name -> trouble, of those that every style can have."""
    troubles: dict[str, Trouble] = {}
    if coordinator is not None:
        troubles[KILLED] = lambda: _killed(coordinator)
        troubles[FROZEN] = lambda: _frozen(coordinator)
    for name, wire in wires.items():
        troubles[f"{name} cut off"] = lambda wire=wire: _cut(wire)  # type: ignore[misc]
    for name, process in processes.items():
        troubles[f"{name} killed (-9)"] = lambda process=process: _dead(process)  # type: ignore[misc]
    return troubles


class Nemesis:
    """Draws `at_once` troubles, waits until the run has recovered from them, pauses, and draws the next ones."""

    def __init__(
        self,
        troubles: Mapping[str, Trouble],
        *,
        every_s: float,
        at_once: int = 1,
        seed: int,
        customers: Sequence[Customer],
        participants: Participants,
        clock: Clock,
    ) -> None:
        self._troubles, self._every_s, self._at_once = troubles, every_s, at_once
        self._chance = random.Random(seed)
        self._customers, self._participants, self._clock = customers, participants, clock
        self._stopped = asyncio.Event()
        self.struck: Counter[str] = Counter()
        """Name of a trouble -> how often it was brought about."""
        self.recovery_s: dict[str, list[float]] = {name: [] for name in troubles}
        """Name of a trouble -> real seconds from its end, and that of those at the same time, to the end of the first
        saga accepted after that."""

    async def run(self) -> None:
        """Make trouble until `stop`; a trouble that has begun is ended first."""
        while not await self._told_to_stop(within_s=self._every_s):
            names = self._draw()
            async with asyncio.TaskGroup() as striking:
                for name in names:
                    lasting_s = self._chance.uniform(SHORTEST_S, LONGEST_S)
                    striking.create_task(self._strike(name, lasting_s))
            ended = self._clock.mono_s()
            while not await self._recovered(ended):
                if await self._told_to_stop(within_s=RECOVERY_POLL_S):
                    return
            for name in names:
                self.recovery_s[name].append(self._clock.mono_s() - ended)

    def longest_recovery_s(self) -> dict[str, float]:
        """Name of a trouble -> its longest recovery, in real seconds."""
        return {
            name: round(max(found), 2) for name, found in sorted(self.recovery_s.items()) if found
        }

    def stop(self) -> None:
        """Make no more trouble."""
        self._stopped.set()

    def _draw(self) -> list[str]:
        """Different troubles for the same moment."""
        while True:
            names = self._chance.sample(sorted(self._troubles), self._at_once)
            if not set(names) >= _NEVER_TOGETHER:
                return names

    async def _strike(self, name: str, lasting_s: float) -> None:
        async with self._troubles[name]() as lasts:
            self.struck[name] += 1
            if lasts:
                await self._clock.sleep(lasting_s)

    async def _told_to_stop(self, *, within_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._stopped.wait()
        return self._stopped.is_set()

    async def _recovered(self, since_mono_s: float) -> bool:
        """Whether a saga that was accepted after the trouble has ended."""
        later = [c for c in self._customers if (c.accepted_mono_s or 0) > since_mono_s]
        for customer in later[:MOST_ASKED]:
            if await self._participants.status(customer.order.order_id) in TERMINAL:
                return True
        return False


@asynccontextmanager
async def _killed(coordinator: Disturbance) -> AsyncIterator[bool]:
    await coordinator.kill()
    await coordinator.restart()
    yield False


@asynccontextmanager
async def _frozen(coordinator: Disturbance) -> AsyncIterator[bool]:
    coordinator.freeze()
    try:
        yield True
    finally:
        coordinator.thaw()


@asynccontextmanager
async def _cut(wire: TcpProxy | SoftWire) -> AsyncIterator[bool]:
    wire.cut()
    try:
        yield True
    finally:
        wire.mend()


@asynccontextmanager
async def _dead(process: ParticipantProcess) -> AsyncIterator[bool]:
    process.kill()
    yield False
