"""What is around a simulated run: its loop, its backends, and what happens to them that no fault plan names."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from importlib import import_module
from typing import Protocol

from scenarios.campaigns.simulation.loop import SimulatedLoop
from scenarios.runs.environment import Backends

EMBEDDED, REAL = "embedded", "real"
ADAPTERS = (EMBEDDED, REAL)
"""Which adapters a run drives: those of the embedded broker and engine, or those of RabbitMQ and boto3."""


class World(Protocol):
    """The surroundings of one run."""

    @property
    def loop(self) -> SimulatedLoop:
        """What the run happens on."""
        ...

    def around(self) -> AbstractContextManager[None]:
        """As long as it is open, nothing of this machine is in the run."""
        ...

    def backends(self) -> AbstractAsyncContextManager[Backends]:
        """Where its coordinators are."""
        ...

    def weather(self, *, kills: bool) -> AbstractAsyncContextManager[None]:
        """What happens to connections and coordinators meanwhile. `kills`: whether these may die."""
        ...

    async def left_over(self, backlog: Callable[[], Awaitable[int]]) -> int:
        """How much is left to do once all is over. `backlog`: what the system itself says."""
        ...


class Embedded:
    """Coordinators that are called directly, whose ready callbacks run in any order."""

    def __init__(self, seed: int | None, *, limit_s: float) -> None:
        self.loop = SimulatedLoop(seed, limit_s=limit_s)  # type: ignore[abstract]  # what is missing needs a network

    def around(self) -> AbstractContextManager[None]:
        """See World: it uses nothing."""
        return nullcontext()

    def backends(self) -> AbstractAsyncContextManager[Backends]:
        """See World."""
        return nullcontext(Backends())

    def weather(self, *, kills: bool) -> AbstractAsyncContextManager[None]:
        """See World: nothing."""
        return nullcontext()

    async def left_over(self, backlog: Callable[[], Awaitable[int]]) -> int:
        """See World."""
        return await backlog()


def _real() -> Callable[..., World]:
    """Client libraries are loaded only where they are driven: that takes half a second."""
    make: Callable[..., World] = import_module(
        "scenarios.campaigns.simulation.adapters.world"
    ).RealAdapters
    return make


def world(adapters: str, seed: int | None, *, limit_s: float) -> World:
    """The surroundings of a run with these adapters. `seed`: of what nothing else decides; `limit_s`: see SimulatedLoop."""
    make: Callable[..., World] = _real() if adapters == REAL else Embedded
    return make(seed, limit_s=limit_s)
