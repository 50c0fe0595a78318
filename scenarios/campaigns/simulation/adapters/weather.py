"""What happens to connections on an ordinary day, drawn from a run's seed: they break, the broker closes them, somebody stands still."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from choreography.rabbit_model.node import ModelNode
from choreography.rabbit_model.session import Session
from scenarios.campaigns.simulation.adapters.machine import Process
from scenarios.campaigns.simulation.adapters.network import LATE_S
from scenarios.campaigns.simulation.adapters.network_loop import NetworkLoop

EVENTS = (0, 0, 1, 1, 2, 3)
"""How many a run has. A step can be tried again as often as the most of them, so no order is harmed by them alone."""
LAST_S = 4.0
LONGEST_S = 0.15
"""How long somebody stands still, or lets nobody publish."""


class Weather:
    """Trouble that no fault plan names. Nobody may be harmed by it."""

    def __init__(
        self,
        loop: NetworkLoop,
        chance: random.Random,
        *,
        node: ModelNode,
        processes: list[Process],
    ) -> None:
        self._loop, self._chance, self._node, self._processes = loop, chance, node, processes
        self._kinds = [self._break, self._break, self._stall]

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Make trouble as long as the context is open."""
        if self._node.sessions:
            self._kinds += [self._close, self._close_channel, self._block]
        chance = self._chance
        times = sorted(LAST_S * chance.random() ** 3 for _ in range(chance.choice(EVENTS)))
        working = asyncio.create_task(self._work(times))
        try:
            yield
        finally:
            working.cancel()
            await asyncio.wait([working])
            await asyncio.sleep(2 * LATE_S)  # what has just broken is known to be

    async def _work(self, times_s: list[float]) -> None:
        begun_s = self._loop.time()
        for time_s in times_s:
            await asyncio.sleep(begun_s + time_s - self._loop.time())
            await self._chance.choice(self._kinds)()

    async def _break(self) -> None:
        """A connection breaks: a router, a timeout, a limit."""
        if connections := list(self._loop.network.connections):
            self._chance.choice(connections).break_off()

    async def _stall(self) -> None:
        """A process stands still for a moment: another one had the core, or it collected garbage."""
        process = self._chance.choice(self._processes)
        if process.frozen:
            return
        process.freeze()
        try:
            await asyncio.sleep(self._chance.uniform(0, LONGEST_S))
        finally:
            self._loop.thaw(process)

    async def _close(self) -> None:
        if session := self._session():
            session.close("closed by the weather")

    async def _close_channel(self) -> None:
        if session := self._session():
            session.close_channel("closed by the weather")

    async def _block(self) -> None:
        """The node believes that it is low on memory."""
        sessions = [session for session in self._node.sessions if session.is_open]
        for session in sessions:
            session.block()
        try:
            await asyncio.sleep(self._chance.uniform(0, LONGEST_S))
        finally:
            for session in sessions:
                session.unblock()

    def _session(self) -> Session | None:
        sessions = [session for session in self._node.sessions if session.is_open]
        return self._chance.choice(sessions) if sessions else None
