"""What happens on an ordinary day, drawn from a run's seed: connections break, the broker closes them, somebody stands still or dies."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from choreography.rabbit_model.node import ModelNode
from choreography.rabbit_model.session import Session
from kernel.ports import Disturbance
from scenarios.campaigns.simulation.adapters.machine import Process
from scenarios.campaigns.simulation.adapters.network import LATE_S
from scenarios.campaigns.simulation.adapters.network_loop import NetworkLoop


class Coordinator(Disturbance, Protocol):
    """The coordinator of a run, as a process."""

    @property
    def process(self) -> Process:
        """What stands still with it."""
        ...


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
        coordinator: Coordinator,
        kills: bool,
    ) -> None:
        """`coordinator`: who stands still or dies. `kills`: whether it dies; not where a fault plan kills it."""
        self._loop, self._chance, self._node = loop, chance, node
        self._coordinator, self._stopped = coordinator, asyncio.Event()
        self._kinds = [self._break, self._break, self._stall]
        if kills:
            self._kinds += [self._kill, self._kill]

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Make trouble as long as the context is open; what has begun is ended."""
        if self._node.sessions:
            self._kinds += [self._close, self._close_channel, self._block]
        chance = self._chance
        times = sorted(LAST_S * chance.random() ** 3 for _ in range(chance.choice(EVENTS)))
        working = asyncio.create_task(self._work(times))
        try:
            yield
        finally:
            self._stopped.set()
            await working
            await asyncio.sleep(2 * LATE_S)  # what has just broken is known to be

    async def _work(self, times_s: list[float]) -> None:
        begun_s = self._loop.time()
        for time_s in times_s:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(begun_s + time_s):
                    await self._stopped.wait()
            if self._stopped.is_set():
                return
            await self._chance.choice(self._kinds)()

    async def _break(self) -> None:
        """A connection breaks: a router, a timeout, a limit."""
        if connections := list(self._loop.network.connections):
            self._chance.choice(connections).break_off()

    async def _stall(self) -> None:
        """A process stands still for a moment: another one had the core, or it collected garbage."""
        if self._coordinator.process.frozen:
            return
        self._coordinator.freeze()
        try:
            await asyncio.sleep(self._chance.uniform(0, LONGEST_S))
        finally:
            self._coordinator.thaw()

    async def _kill(self) -> None:
        """The coordinator is killed (-9), and its supervisor starts it again."""
        await self._coordinator.kill()
        await self._coordinator.restart()

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
