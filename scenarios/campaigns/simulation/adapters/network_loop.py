"""The simulated loop with a network and processes in it, for code that is written for asyncio.

LOOK: asyncio promises that callbacks run in the order in which they were scheduled, and client libraries are built on that. So
nothing is drawn here among what is ready: what is drawn is how long bytes take on their way, and how long work takes: now and
then the next timer is due before everything that is ready has run.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from heapq import heappop
from typing import Any

from scenarios.campaigns.simulation.adapters.calls import Calls
from scenarios.campaigns.simulation.adapters.machine import PROCESS, Process
from scenarios.campaigns.simulation.adapters.network import LOOPBACK, Network, Wanted
from scenarios.campaigns.simulation.loop import MAX_TURNS, NeverEnds, SimulatedLoop

WORK_S = 0.000_5
"""Most virtual time that a callback may seem to take."""
BUSY_RATIO = 0.05
"""How often one seems to take any."""


class _Future(asyncio.Future[Any]):
    """A future whose hash is its number, so that sets of futures have the same order in every process."""

    def __init__(self, number: int, **options: Any) -> None:
        self._number = number
        super().__init__(**options)

    def __hash__(self) -> int:
        return self._number


class NetworkLoop(SimulatedLoop):
    """Runs one coroutine to its end. `network`: what its connections go over."""

    def __init__(self, seed: int | None, *, limit_s: float) -> None:
        """`seed`: of how long everything takes; None = hardly any time."""
        super().__init__(seed, limit_s=limit_s)
        self._ready = deque[asyncio.Handle]()  # type: ignore[assignment]  # a list that is quick at its beginning
        chance = None if seed is None else random.Random(f"{seed}:network")
        self.network = Network(self, chance)
        self._calls = Calls(self)

    def _run(self, until: asyncio.Future[Any]) -> None:
        ready: deque[asyncio.Handle] = self._ready  # type: ignore[assignment]
        draw, timers = self._draw, self._timers
        while not until.done():
            if not ready:
                self._wait()
                continue
            self.turns += 1
            if self.turns > self._most_turns:
                raise NeverEnds(f"still busy after {MAX_TURNS} turns")
            if draw is not None and draw() < BUSY_RATIO:
                self._work(timers)
            handle = ready.popleft()
            if handle.cancelled():
                continue
            process = handle._context.get(PROCESS)  # type: ignore[attr-defined]
            if process is not None and process.frozen:
                process.hold(handle)
            else:
                handle._run()

    def _work(self, timers: list[tuple[float, int, asyncio.TimerHandle]]) -> None:
        """Let the next timer be due, if that is no long time away."""
        while timers and timers[0][2].cancelled():
            heappop(timers)
        if timers and timers[0][0] - self._now_s < WORK_S:
            self._wait()

    def thaw(self, process: Process) -> None:
        """Let a frozen process go on."""
        process.thaw(self._ready.append)

    def create_future(self) -> asyncio.Future[Any]:
        """See asyncio."""
        self._made += 1
        return _Future(self._made, loop=self)

    async def create_connection(
        self,
        protocol_factory: Any,
        host: str | None = None,
        port: int | None = None,
        *,
        sock: Any = None,
        **_: Any,
    ) -> Any:
        """See asyncio. `sock`: a Wanted. Raise ConnectionRefusedError if nobody listens there."""
        if isinstance(sock, Wanted):
            host, port = sock.address
        return await self.network.connect(protocol_factory, host or LOOPBACK, port or 0)

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any
    ) -> Any:
        """See asyncio. Raise OSError if the address is taken."""
        return self.network.listen(protocol_factory, host or LOOPBACK, port or 0)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        """See asyncio: it runs in the loop's own thread, and waits for the network where it would block."""
        return self._calls.run(executor, func, *args)
