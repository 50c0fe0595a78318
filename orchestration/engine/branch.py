"""One sequence of states: the execution itself, a branch of a Parallel, an iteration of a Map.

After a crash the same code runs again over the recorded history: as long as the branch has recorded
events left, `record` returns them instead of making new ones.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

from kernel.ports import Clock
from orchestration.engine.errors import BranchAborted, HistoryDamaged
from orchestration.engine.history import Event
from orchestration.engine.paths import Scope
from orchestration.engine.redrive import REDRIVEN

Invoke = Callable[[str, str], Awaitable[str]]
"""(function, payload) -> result, both JSON texts. Raises StatesError if the invocation failed."""
ServiceCall = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""(service, action such as "publish", parameters) -> the task's result. Raises StatesError if the call failed."""


_MAY_RETRY = frozenset({"TaskStateEntered", "ParallelStateEntered", "MapStateEntered"})


class Callbacks(Protocol):
    """Task tokens and activities: work that somebody outside answers later."""

    def token(self, execution: int, event_id: int) -> str:
        """The token of the task that is scheduled as this event."""
        ...

    def expected(self, execution: int, event_id: int) -> AbstractContextManager[None]:
        """From here on somebody may answer the task, until the context is left."""
        ...

    async def answer(
        self, execution: int, event_id: int, *, heartbeat_s: float | None
    ) -> tuple[str | None, str | None, str | None]:
        """(output, error, cause) once somebody answers. Raise TimeoutError if the heartbeats stop."""
        ...

    async def worker(
        self, execution: int, event_id: int, *, activity: str, payload: str
    ) -> str | None:
        """Offer a task to an activity's workers; the name of the one that took it, once it has."""
        ...

    def started(self, execution: int, event_id: int, *, durable: bool) -> None:
        """The start of an activity's task is durable, or (False) nobody waits for it any more."""
        ...

    def answered(self, execution: int, event_id: int) -> "asyncio.Future[Any]":
        """What is done once somebody has answered the task."""
        ...

    def left_alone(self, call: Awaitable[str]) -> "asyncio.Future[str]":
        """A call that goes on although nobody waits for it, until the engine is closed."""
        ...

    def settled(self, execution: int, event_id: int) -> None:
        """The answer is durable: tell who gave it."""
        ...

    def resumed(self, execution: int) -> None:
        """After a restart, an execution has come to where it was."""
        ...

    def exists(self, activity: str) -> bool:
        """Whether an activity has been created."""
        ...


class Shared(Protocol):
    """What all branches of one execution share."""

    row: dict[str, Any]
    machine: dict[str, Any]
    clock: Clock
    time_scale: float
    invoke: Invoke
    call: ServiceCall
    callbacks: Callbacks
    input: Any

    def add(self, branch: str, previous: int, kind: str, details: dict[str, Any]) -> Event:
        """A new event that waits to be durable."""
        ...

    def recorded(self, branch: str) -> deque[Event]:
        """The events that an earlier incarnation recorded for a branch."""
        ...

    def next_id(self) -> int:
        """The id that the next new event will have."""
        ...

    async def flush(self) -> None:
        """Return when every event so far is durable."""
        ...

    def watched(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Coroutine[Any, Any, Any]:
        """What runs as a task of its own, seen to be this execution's if it takes the engine down."""
        ...

    async def pause(self) -> None:
        """Between two states: make durable what has piled up, and let others run."""
        ...


class Branch:
    """See the module. `previous` is the id that the next event names as the one that led to it."""

    def __init__(
        self, shared: Shared, *, key: str = "", previous: int = 0, outer: "Branch | None" = None
    ) -> None:
        self.shared, self.key, self.previous = shared, key, previous
        self.variables: dict[str, Any] = dict(outer.variables) if outer else {}
        self.item: dict[str, Any] = dict(outer.item) if outer else {}
        self.over = False
        self._recorded = shared.recorded(key)
        self._last: Event | None = None
        self._draws = 0

    @property
    def replaying(self) -> bool:
        """Whether recorded events are left. Raise BranchAborted if none are and the branch is `over`."""
        if self._recorded:
            return True
        if self.over:
            raise BranchAborted
        return False

    def inner(self, key: str, *, previous: int) -> "Branch":
        """A branch of the Parallel, or an iteration of the Map, that runs in this one.

        If this branch has more recorded than its start, that attempt is over, and so is what is inside.
        """
        made = Branch(self.shared, key=key, previous=previous, outer=self)
        made.over = self.over or bool(self._recorded)
        return made

    @property
    def last(self) -> Event:
        """The event that was recorded last in this branch."""
        assert self._last is not None
        return self._last

    def ended_by(self, kinds: tuple[str, ...]) -> bool:
        """Whether the last event, if there is any, is of one of these types."""
        return self._last is not None and self._last.type in kinds

    def record(
        self,
        kind: str,
        field: str = "",
        details: dict[str, Any] | None = None,
        *,
        leads: bool = True,
    ) -> Event:
        """The next event: the recorded one, or a new one. `leads` False: what follows does not name it."""
        if self.replaying:
            event = self._recorded.popleft()
            if event.type != kind:
                arn = self.shared.row["arn"]
                raise HistoryDamaged(f"{arn}: event {event.id} is {event.type}, not {kind}")
        else:
            body = {field: details} if field else {}
            event = self.shared.add(self.key, self.previous, kind, body)
        return self._accept(event, leads=leads)

    def next_recorded(self) -> Event:
        """What came next, when replaying."""
        return self._accept(self._recorded.popleft(), leads=True)

    def upcoming(self, more: int = 0) -> str:
        """The type of the next recorded event, "" if there is none, or not so many `more` after it."""
        return self._recorded[0].type if len(self._recorded) > more else ""

    def upcoming_state(self) -> str | None:
        """The state that the next recorded event enters, None if it enters none."""
        if not self.upcoming().endswith("StateEntered"):
            return None
        return str(self._recorded[0].details["stateEnteredEventDetails"]["name"])

    def _accept(self, event: Event, *, leads: bool) -> Event:
        self._last, self._draws = event, 0
        if leads:
            self.previous = event.id
        while self._recorded and self._recorded[0].type == REDRIVEN:
            self._last = self._recorded.popleft()
            self.previous = self._last.id
        return event

    async def wait_until(self, due_s: float) -> None:
        """Sleep until a wall time; a restart keeps the deadline."""
        if self.replaying:
            return
        await self.shared.flush()
        await self.shared.clock.sleep(max(0.0, due_s - self.shared.clock.wall_s()))

    async def wait(self, seconds: float) -> None:
        """Sleep, scaled, from the last recorded event on."""
        await self.wait_until(self.last.at_s + seconds * self.shared.time_scale)

    def scope(
        self, state: str, entered: Event, *, retries: int = 0, token: str | None = None
    ) -> Scope:
        """What expressions may look at: the context object and the variables."""
        return Scope(
            self.variables,
            lambda: self._context(state, entered, retries=retries, token=token),
            chance=self._chance,
            at_s=self.last.at_s,
        )

    def _chance(self) -> random.Random:
        """Chance that comes out alike when it is drawn again after a crash: it follows from the last event."""
        self._draws += 1
        return random.Random(f"{self.shared.row['arn']} {self.key} {self.last.id} {self._draws}")

    def _context(
        self, state: str, entered: Event, *, retries: int, token: str | None
    ) -> dict[str, Any]:
        shared = self.shared
        context: dict[str, Any] = {
            "Execution": {
                "Id": shared.row["arn"],
                "Input": shared.input,
                "Name": shared.row["name"],
                "RoleArn": shared.machine["role"],
                "StartTime": iso(shared.row["start_s"]),
                "RedriveCount": shared.row["redrives"],
            },
            "StateMachine": {"Id": shared.machine["arn"], "Name": shared.machine["name"]},
            "State": {"Name": state, "EnteredTime": iso(entered.at_s)},
        }
        if shared.row["redriven_s"] is not None:
            context["Execution"]["RedriveTime"] = iso(shared.row["redriven_s"])
        if entered.type in _MAY_RETRY:
            context["State"]["RetryCount"] = retries
        if token is not None:
            context["Task"] = {"Token": token}
        if self.item:
            context["Map"] = {"Item": self.item}
        return context


def iso(at_s: float) -> str:
    """A wall time as the context object shows it."""
    stamp = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
    return stamp.removesuffix("+00:00") + "Z"
