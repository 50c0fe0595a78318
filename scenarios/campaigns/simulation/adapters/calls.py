"""Blocking code under virtual time: each call runs as a greenlet, which yields to the loop where a thread would block.

See docs/decisions/0029-blocking-clients-as-greenlets.md.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")


class Calls:
    """The calls of one loop, of which an executor has as many at a time as it has threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._main = loop, getcurrent()
        self._running: dict[int, int] = {}
        self._waiting: dict[int, deque[Callable[[], None]]] = {}

    def run(self, executor: Any, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """What `function` returns or raises."""
        future = self._loop.create_future()
        pool, room = id(executor), getattr(executor, "_max_workers", 1)

        def work() -> None:
            try:
                result = function(*args)
            except asyncio.CancelledError:
                future.cancel()
            except BaseException as error:  # it is the caller's, as an executor hands it over
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)
            finally:
                self._running[pool] -= 1
                self._next(pool, room)

        def begin() -> None:
            self._running[pool] = self._running.get(pool, 0) + 1
            thread = greenlet(work, self._main)
            thread.gr_context = copy_context()
            self._loop.call_soon(thread.switch)

        self._waiting.setdefault(pool, deque()).append(begin)
        self._next(pool, room)
        return future

    def _next(self, pool: int, room: int) -> None:
        waiting = self._waiting.get(pool)
        while waiting and self._running.get(pool, 0) < room:
            waiting.popleft()()


def wait_for(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to, for a call that runs as a greenlet."""
    me = getcurrent()
    parent = me.parent
    assert parent is not None
    task = loop.create_task(work)
    task.add_done_callback(lambda _: me.switch())
    parent.switch()
    return task.result()
