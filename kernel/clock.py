"""Time as both styles see it: the system's, or one that a test moves by hand."""

import asyncio
import heapq
import itertools
import time


class SystemClock:
    """The Clock port over this host's clocks."""

    def wall_s(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()

    def mono_s(self) -> float:
        """Seconds on this host's monotonic clock, the same in every process of the host."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after at least `seconds`."""
        await asyncio.sleep(seconds)


class ManualClock:
    """The Clock port for tests: time stands still until `advance` moves it."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._ties = itertools.count()

    def wall_s(self) -> float:
        """The manual time."""
        return self._now_s

    def mono_s(self) -> float:
        """The manual time."""
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        """Return once `advance` has moved the time by at least `seconds`."""
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_s + seconds, next(self._ties), wake))
        await wake

    async def advance(self, seconds: float) -> None:
        """Move the time, waking sleepers in the order of their deadlines."""
        until = self._now_s + seconds
        await asyncio.sleep(0)
        while self._sleepers and self._sleepers[0][0] <= until:
            self._now_s, _, wake = heapq.heappop(self._sleepers)
            if not wake.done():
                wake.set_result(None)
            await asyncio.sleep(0)
        self._now_s = until
