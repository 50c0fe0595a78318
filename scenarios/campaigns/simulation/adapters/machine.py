"""Processes of a simulated machine: what is frozen, or dies, as one."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Connection(Protocol):
    """One end of a connection that a process has open."""

    def abort(self) -> None:
        """Lose it, without a word."""
        ...


class Process:
    """A part of the program that stands for a process of its own: whatever it has started belongs to it."""

    def __init__(self, name: str) -> None:
        self.name, self.frozen = name, False
        self.connections: dict[Connection, None] = {}
        self._held: list[asyncio.Handle] = []

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function as this process; callbacks and tasks that it makes belong to it."""

        def inside() -> T:
            PROCESS.set(self)
            return function(*args, **kwargs)

        return copy_context().run(inside)

    def hold(self, handle: asyncio.Handle) -> None:
        """Keep what would run now until it is thawed."""
        self._held.append(handle)

    def freeze(self) -> None:
        """SIGSTOP: nothing of it runs any more; its connections stay open."""
        self.frozen = True

    def thaw(self, ready: Callable[[asyncio.Handle], None]) -> None:
        """SIGCONT: what has been due meanwhile is `ready`, in order."""
        self.frozen = False
        held, self._held = self._held, []
        for handle in held:
            ready(handle)

    def cut_off(self) -> None:
        """Lose every connection, as the kernel does for a process that has died."""
        for connection in list(self.connections):
            connection.abort()
        self.connections.clear()


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
"""As which process the current code runs; None = the testbed's own."""
