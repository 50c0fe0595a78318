"""A run's backends under virtual time where the production adapters are driven: a modelled RabbitMQ node, and the engine over HTTP."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext

from scenarios.campaigns.simulation.adapters.clients import simulated_clients
from scenarios.campaigns.simulation.adapters.network_loop import NetworkLoop
from scenarios.campaigns.simulation.adapters.nodes import SimulatedEngine, SimulatedNode
from scenarios.campaigns.simulation.adapters.weather import Coordinator, Weather
from scenarios.runs.environment import Backends, EngineHost, RunEnvironment

LEFT_OVER_S, LOOK_S = 2.0, 0.1
"""How long what is delivered again may take once a run is over, and how often one looks."""


class RealAdapters:
    """What is around a run whose adapters are those of production. `seed` None: all is quick, and nothing breaks."""

    def __init__(self, seed: int | None, *, limit_s: float) -> None:
        self.loop = NetworkLoop(seed, limit_s=limit_s)  # type: ignore[abstract]  # what is missing needs a machine
        self._seed = seed
        self._chance = None if seed is None else random.Random(f"{seed}:coordinators")
        self._coordinator: Coordinator | None = None
        self._node: SimulatedNode | None = None

    @contextmanager
    def around(self) -> Iterator[None]:
        """Client libraries use the loop's time and network as long as the context is open."""
        with simulated_clients(self.loop, self._seed):
            yield

    @asynccontextmanager
    async def backends(self) -> AsyncIterator[Backends]:
        """Where the coordinators are."""
        self._node = node = SimulatedNode(self.loop, chance=self._chance)
        self._coordinator = node
        await node.restart()
        try:
            yield Backends(broker=node.url, node=node, engine="embedded", machine=self)
        finally:
            await node.kill()

    def weather(self, *, kills: bool) -> AbstractAsyncContextManager[None]:
        """Ordinary trouble as long as the context is open."""
        if self._seed is None or self._node is None or self._coordinator is None:
            return nullcontext()
        chance = random.Random(f"{self._seed}:weather")
        return Weather(
            self.loop, chance, node=self._node, coordinator=self._coordinator, kills=kills
        ).at_work()

    async def left_over(self, backlog: Callable[[], Awaitable[int]]) -> int:
        """See World. What a broken connection has brought back has some time; what is in hand for ever counts as well."""
        assert self._node is not None
        give_up_s = self.loop.time() + LEFT_OVER_S
        while True:
            left = await backlog() + self._node.vhost.in_hand()
            if not left or self.loop.time() > give_up_s:
                return left
            await asyncio.sleep(LOOK_S)

    # -- Machine

    def free_port(self) -> int:
        """See Machine."""
        return self.loop.network.free_port()

    def engine(
        self,
        environment: RunEnvironment,
        *,
        lambda_endpoint: str,
        functions: Mapping[str, str],
    ) -> EngineHost:
        """See Machine."""
        engine = SimulatedEngine(
            self.loop,
            environment.folder,
            lambda_endpoint=lambda_endpoint,
            time_scale=environment.core.policy.time_scale,
            durability=environment.core.durability,
            functions=functions,
            clock=environment.core.clock,
            entropy=environment.entropy,
            chance=self._chance,
        )
        self._coordinator = engine
        return engine
