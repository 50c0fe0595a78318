"""Task tokens and activities: tasks that somebody outside takes, and answers later.

A token is derived from the event that scheduled its task and a secret of the history, so that it stays valid
across a restart without being stored.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from orchestration.engine.errors import ApiError

CLIENT_IS_THERE: ContextVar[Callable[[], bool]] = ContextVar(
    "CLIENT_IS_THERE", default=lambda: True
)
"""Whether the client that waits for an activity's task still listens."""
Key = tuple[int, int]
"""(execution, event that scheduled the task)."""
Answer = tuple[str | None, str | None, str | None]
"""(output, error, cause); output None = it failed."""


@dataclass(slots=True)
class _Waiting:
    answer: asyncio.Future[Answer]
    durable: asyncio.Future[bool]
    beat: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Offer:
    """A task that waits for a worker. `started`: its start is durable, or (False) it is over."""

    payload: str
    taken: asyncio.Future[str | None]
    started: asyncio.Future[bool]


def _gone() -> ApiError:
    return ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


class TaskCallbacks:
    """See branch.Callbacks; the other half is for the API."""

    def __init__(self, secret: bytes, activities: Iterable[str] = ()) -> None:
        self._secret, self.activities = secret, set(activities)
        self._waiting: dict[Key, _Waiting] = {}
        self._offers: dict[str, dict[Key, _Offer]] = {}
        self._offered: dict[Key, _Offer] = {}
        self.calls: set[asyncio.Future[str]] = set()
        self._arrived: dict[str, asyncio.Event] = {}
        self._coming: dict[int, asyncio.Event] = {}

    def token(self, execution: int, event_id: int) -> str:
        """See Callbacks."""
        plain = f"{execution}.{event_id}"
        seal = hmac.new(self._secret, plain.encode(), hashlib.sha256).hexdigest()
        return base64.urlsafe_b64encode(f"{plain}.{seal}".encode()).decode()

    def _key(self, token: str) -> Key:
        try:
            plain, _, _ = base64.urlsafe_b64decode(token.encode()).decode().rpartition(".")
            execution, event_id = map(int, plain.split("."))
        except ValueError:
            raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'") from None
        if not hmac.compare_digest(self.token(execution, event_id).encode(), token.encode()):
            raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
        return execution, event_id

    @contextmanager
    def expected(self, execution: int, event_id: int) -> Iterator[None]:
        """See Callbacks. An answer may come before anybody waits for it, as soon as the task is dispatched."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(loop.create_future(), loop.create_future())
        self._waiting[execution, event_id] = waiting
        try:
            yield
        finally:
            self._waiting.pop((execution, event_id), None)
            if not waiting.durable.done():
                waiting.durable.set_result(False)

    async def answer(self, execution: int, event_id: int, *, heartbeat_s: float | None) -> Answer:
        """See Callbacks."""
        waiting = self._waiting[execution, event_id]
        while True:
            beat = asyncio.ensure_future(waiting.beat.wait())
            try:
                both: set[asyncio.Future[Any]] = {waiting.answer, beat}
                done, _ = await asyncio.wait(
                    both, timeout=heartbeat_s, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                beat.cancel()
            if waiting.answer in done:
                return waiting.answer.result()
            if not done:
                raise TimeoutError
            waiting.beat.clear()

    def answered(self, execution: int, event_id: int) -> asyncio.Future[Answer]:
        """See Callbacks."""
        return self._waiting[execution, event_id].answer

    def left_alone(self, call: Awaitable[str]) -> asyncio.Future[str]:
        """See Callbacks."""
        task = asyncio.ensure_future(call)
        self.calls.add(task)
        task.add_done_callback(self._returned)
        return task

    def _returned(self, call: asyncio.Future[str]) -> None:
        self.calls.discard(call)
        if not call.cancelled():
            call.exception()  # whoever still waited has seen it

    def settled(self, execution: int, event_id: int) -> None:
        """See Callbacks."""
        self._waiting[execution, event_id].durable.set_result(True)

    def resuming(self, executions: Iterable[int]) -> None:
        """These executions are about to go on after a restart: who answers a task of theirs waits until they do."""
        self._coming = {execution: asyncio.Event() for execution in executions}

    def resumed(self, execution: int) -> None:
        """See Callbacks."""
        if came := self._coming.pop(execution, None):
            came.set()

    async def send(self, token: str, answer: Answer) -> None:
        """Answer a task; return once that is durable. Raise ApiError if nobody waits for it any more.

        The same answer again, from a client that has run out of patience, waits like the first.
        """
        waiting = await self._find(token, answer)
        if not waiting.answer.done():
            waiting.answer.set_result(answer)
        if not await asyncio.shield(waiting.durable):
            raise _gone()

    def exists(self, activity: str) -> bool:
        """See Callbacks."""
        return activity in self.activities

    async def heartbeat(self, token: str) -> None:
        """Note that a task is still being worked on."""
        (await self._find(token)).beat.set()

    async def _find(self, token: str, answer: Answer | None = None) -> _Waiting:
        key = self._key(token)
        if came := self._coming.get(key[0]):
            await came.wait()
        waiting = self._waiting.get(key)
        if waiting is None or (waiting.answer.done() and waiting.answer.result() != answer):
            raise _gone()
        return waiting

    async def worker(
        self, execution: int, event_id: int, *, activity: str, payload: str
    ) -> str | None:
        """See Callbacks."""
        loop = asyncio.get_running_loop()
        offer = _Offer(payload, loop.create_future(), loop.create_future())
        offers = self._offers.setdefault(activity, {})
        offers[execution, event_id] = offer
        self._arrived.setdefault(activity, asyncio.Event()).set()
        self._offered[execution, event_id] = offer
        try:
            return await offer.taken
        finally:
            offers.pop((execution, event_id), None)

    def started(self, execution: int, event_id: int, *, durable: bool) -> None:
        """See Callbacks."""
        offer = self._offered.pop((execution, event_id), None)
        if offer is not None and not offer.started.done():
            offer.started.set_result(durable)

    async def take(
        self, activity: str, *, worker: str | None, within_s: float
    ) -> tuple[str, str] | None:
        """(token, input) of the next task of an activity, or None if none is there within `within_s`.

        The task has started, durably, once its token is handed out; and not for a worker that has gone.
        A task that was taken is waited for, however long its start takes: its token would be lost.
        """
        present = CLIENT_IS_THERE.get()
        arrived = self._arrived.setdefault(activity, asyncio.Event())
        try:
            async with asyncio.timeout(within_s) as limit:
                end_s = limit.when()
                while True:
                    offers = self._offers.get(activity)
                    if offers and not present():
                        return None
                    if offers:
                        key, offer = next(iter(offers.items()))
                        del offers[key]
                        if offer.taken.done():
                            continue
                        offer.taken.set_result(worker)
                        limit.reschedule(None)
                        if await offer.started:
                            return self.token(*key), offer.payload
                        limit.reschedule(end_s)
                        continue
                    arrived.clear()
                    await arrived.wait()
        except TimeoutError:
            return None
