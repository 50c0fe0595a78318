"""An event loop without a clock, a thread or a network: time is virtual, and what runs next is drawn from a seed.

Time stands still while anything can run, and jumps to the next timer when nothing can. Whatever is ready at one instant may run in any order:
in a real system those are different processes, and nobody promises an order between them.
"""

import asyncio
import contextlib
import heapq
import math
import random
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import Context
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
START_S = 1.0
MAX_TURNS = 1_000_000
"""Most callbacks of one run: one that goes on for ever without waiting must end too."""


class NeverEnds(Exception):
    """A run that waits for what cannot come, or goes on past its limit."""


class _Task(asyncio.Task[T]):
    """A task whose hash is its number, so that sets of tasks have the same order in every process."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], number: int, **options: Any) -> None:
        self._number = number
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self._number


class SimulatedLoop(asyncio.AbstractEventLoop):
    """Runs one coroutine to its end. `turns`: how many callbacks have run."""

    def __init__(self, seed: int | None, *, limit_s: float) -> None:
        """`seed`: of the order among what is ready; None = first come, first served. `limit_s`: virtual time at which a run is given up."""
        self._draw = None if seed is None else random.Random(seed).random
        self._now_s, self._limit_s = START_S, limit_s
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._made, self._most_turns = 0, MAX_TURNS
        self._tasks: list[_Task[Any]] = []
        self.turns = 0
        self.troubles: list[str] = []
        """What nobody caught, in callbacks; and once the run is over, in tasks."""

    def time(self) -> float:
        """Virtual seconds."""
        return self._now_s

    def run_until_complete(self, future: Any) -> Any:
        """Run a coroutine to its end. Raise NeverEnds."""
        task = self.create_task(future)
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=self._finalize)
        asyncio._set_running_loop(self)
        try:
            self._run(task)
        finally:
            self._unwind()
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
        for other in self._tasks:
            if other is not task and other._log_traceback:
                self.troubles.append(f"a task failed unseen: {other.exception()!r}")
        for left in (self._tasks, self._ready, self._timers):
            left.clear()  # what refers to the loop and is referred to by it only a garbage collector could free
        return task.result()

    def _unwind(self) -> None:
        """Cancel what is left, as asyncio.run does, and let it come to its end: nothing is left to the garbage collector."""
        self._limit_s, self._most_turns = math.inf, self.turns + MAX_TURNS
        left = [task for task in self._tasks if not task.done()]
        for task in left:
            task.cancel()
        for task in left:
            with contextlib.suppress(NeverEnds):
                self._run(task)

    def _run(self, until: asyncio.Future[Any]) -> None:
        ready, draw = self._ready, self._draw
        while not until.done():
            if not ready:
                self._wait()
                continue
            self.turns += 1
            if self.turns > self._most_turns:
                raise NeverEnds(f"still busy after {MAX_TURNS} turns")
            if draw is None:
                handle = ready.pop(0)
            else:
                place = int(draw() * len(ready))
                handle, ready[place] = ready[place], ready[-1]
                ready.pop()
            if not handle.cancelled():
                handle._run()

    def _wait(self) -> None:
        """Jump to the next timer, and make ready all that are due then."""
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if not timers:
            raise NeverEnds("everybody waits for something that cannot come")
        now_s = timers[0][0]
        if now_s > self._limit_s:
            raise NeverEnds(f"not over after {self._limit_s:g} s of virtual time")
        self._now_s = now_s
        while timers and timers[0][0] <= now_s:
            self._ready.append(heapq.heappop(timers)[2])

    def call_soon(  # type: ignore[override]  # the stubs have variadic generics
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """See asyncio."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See asyncio."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See asyncio."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if when <= self._now_s:
            self._ready.append(handle)
        else:
            self._made += 1
            heapq.heappush(self._timers, (when, self._made, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are dropped when their time has come."""

    def create_future(self) -> asyncio.Future[Any]:
        """See asyncio."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> Any:
        """See asyncio."""
        self._made += 1
        task: _Task[Any] = _Task(coro, self._made, loop=self, name=name or "", context=context)
        self._tasks.append(task)
        return task

    def _finalize(self, generator: AsyncGenerator[Any, Any]) -> None:
        self.create_task(generator.aclose())

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep it: a run in which something went wrong unseen has failed."""
        self.troubles.append(f"{context.get('message')}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        """See asyncio."""
        return False

    def is_running(self) -> bool:
        """See asyncio."""
        return True

    def is_closed(self) -> bool:
        """See asyncio."""
        return False

    def call_soon_threadsafe(self, *_: Any, **__: Any) -> NoReturn:  # type: ignore[override]
        """Refuse."""
        raise RuntimeError("a simulated run has no other thread")

    def run_in_executor(self, *_: Any) -> NoReturn:  # type: ignore[override]
        """Refuse."""
        raise RuntimeError("a simulated run has no other thread")
