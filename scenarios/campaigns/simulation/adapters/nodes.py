"""The coordinators of a simulated run as processes of their own: a modelled RabbitMQ node, and the engine behind its HTTP API."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from choreography.rabbit_model.node import ModelNode
from kernel.memory_files import Folder
from kernel.ports import Clock
from orchestration import server
from orchestration.engine.registry import Entropy
from scenarios.campaigns.simulation.adapters.machine import Process
from scenarios.campaigns.simulation.adapters.network_loop import NetworkLoop

SLOWEST_START_S = 0.3
"""Longest time in which a coordinator comes back. A real node takes seconds, which nobody has at this time scale."""

SHUTDOWN_S = 0.001
"""How long a killed engine's handlers, which can do nothing any more, are waited for. For aiohttp, 0 is for ever."""


class SimulatedNode(ModelNode):
    """A modelled node that can be frozen, too."""

    def __init__(self, loop: NetworkLoop, *, chance: random.Random | None) -> None:
        super().__init__(port=loop.network.free_port(), chance=chance)
        self._loop, self.process = loop, Process("broker")

    async def restart(self) -> None:
        """See Disturbance."""
        await asyncio.sleep(_start_s(self._chance))
        await self.process.run(self._loop.create_task, super().restart())

    async def kill(self) -> None:
        """See Disturbance."""
        await super().kill()
        self.process.cut_off()
        self._loop.thaw(self.process)

    def freeze(self) -> None:
        """See Disturbance."""
        self.process.freeze()

    def thaw(self) -> None:
        """See Disturbance."""
        self._loop.thaw(self.process)


class SimulatedEngine:
    """The engine's own server, as a process on a simulated network. Implements Disturbance."""

    def __init__(
        self,
        loop: NetworkLoop,
        folder: Folder,
        *,
        lambda_endpoint: str,
        time_scale: float,
        durability: str,
        functions: Mapping[str, str],
        clock: Clock,
        entropy: Entropy,
        chance: random.Random | None,
    ) -> None:
        self._loop, self._folder, self._chance = loop, folder, chance
        self._options: dict[str, Any] = {
            "lambda_endpoint": lambda_endpoint,
            "time_scale": time_scale,
            "durability": durability,
            "functions": functions,
            "clock": clock,
            "entropy": entropy,
        }
        self._port = loop.network.free_port()
        self.process = Process("engine")
        self._life: asyncio.Task[None] | None = None
        self._serving: asyncio.Future[server.Serving] | None = None

    @property
    def endpoint(self) -> str:
        """Where a Step Functions client finds it."""
        return f"http://127.0.0.1:{self._port}"

    async def spawn(self) -> None:
        """Start it without waiting for it."""
        self._serving = self._loop.create_future()
        self._life = self.process.run(self._loop.create_task, self._live(self._serving))

    async def ready(self) -> None:
        """Return when it serves."""
        assert self._serving is not None
        await self._serving

    async def restart(self) -> None:
        """See Disturbance."""
        await asyncio.sleep(_start_s(self._chance))
        await self.spawn()
        await self.ready()

    async def kill(self) -> None:
        """See Disturbance: its connections are lost, and what is not in its history by now never will be."""
        if self._life is None or self._serving is None:
            return
        life, self._life = self._life, None
        self._loop.network.listeners.pop(("127.0.0.1", self._port), None)
        self.process.cut_off()
        if self._serving.done() and not self._serving.cancelled():
            self._serving.result().engine.freeze()
        self._loop.thaw(self.process)
        life.cancel()
        await asyncio.wait([life])

    def freeze(self) -> None:
        """See Disturbance."""
        self.process.freeze()

    def thaw(self) -> None:
        """See Disturbance."""
        self._loop.thaw(self.process)

    async def _live(self, up: "asyncio.Future[server.Serving]") -> None:
        async with server.serving(
            port=self._port, data=self._folder, shutdown_s=SHUTDOWN_S, **self._options
        ) as served:
            up.set_result(served)
            await served.engine.resume()
            await asyncio.Event().wait()


def _start_s(chance: random.Random | None) -> float:
    return 0.0 if chance is None else chance.uniform(0.0, SLOWEST_START_S)
