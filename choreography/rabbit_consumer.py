"""Consuming from RabbitMQ: deliveries of one queue without end, acked by one task that gathers acks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum, auto

import aiormq
from pamqp.common import FieldTable

from choreography.broker import Attempt, DeadLetter, Delivery
from choreography.cloud_events import Envelope
from choreography.rabbit_connection import LOST, REOPEN_S, close, connect
from choreography.rabbit_headers import attempts_of, dead_letter_headers, envelope_of, told
from choreography.rabbit_topology import Queues

ACK_PAUSE_S = 0.02
"""How long acks gather before they leave together."""

Move = Callable[[str, Envelope, FieldTable], Awaitable[None]]
"""(queue of the service, message, headers): publish straight to that queue. Raises Failure."""


class _State(Enum):
    HELD, DONE, BACK = auto(), auto(), auto()


class _Acks:
    """The unacked deliveries of one channel."""

    def __init__(self, channel: aiormq.abc.AbstractChannel) -> None:
        self._channel = channel
        self._deliveries: dict[int, _State] = {}
        """Delivery tag -> what has become of it, oldest first."""
        self._telling: asyncio.Task[None] | None = None

    def took(self, tag: int) -> None:
        """A delivery has come."""
        self._deliveries[tag] = _State.HELD

    def settle(self, tag: int, state: _State) -> None:
        """A delivery is done with, or given back."""
        if self._deliveries.get(tag) is _State.HELD:
            self._deliveries[tag] = state
            if self._telling is None or self._telling.done():
                self._telling = asyncio.create_task(self._tell())

    async def close(self) -> None:
        """Tell what is settled, and nothing more: the channel is about to be closed."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait([self._telling])
        with contextlib.suppress(*LOST):
            await self._send(wait=True)

    async def _tell(self) -> None:
        # LOOK: one task tells everything. Two could overtake each other, and a "multiple" ack that
        # overtakes a requeue acks what was to come again.
        with contextlib.suppress(*LOST):
            while any(state is not _State.HELD for state in self._deliveries.values()):
                await asyncio.sleep(ACK_PAUSE_S)
                await self._send(wait=False)

    async def _send(self, *, wait: bool) -> None:
        settled = {t: s for t, s in self._deliveries.items() if s is not _State.HELD}
        held = (t for t, s in self._deliveries.items() if s is _State.HELD)
        oldest_held = next(held, None)
        for tag in [t for t, s in settled.items() if s is _State.BACK]:
            await self._channel.basic_nack(tag, requeue=True, wait=wait)
            del self._deliveries[tag]
        done = [t for t, s in settled.items() if s is _State.DONE]
        before = [t for t in done if oldest_held is None or t < oldest_held]
        if before:
            await self._channel.basic_ack(before[-1], multiple=True, wait=wait)
        for tag in before:
            del self._deliveries[tag]
        for tag in done[len(before) :]:
            await self._channel.basic_ack(tag, wait=wait)
            del self._deliveries[tag]


class _Delivery:
    """One unacked message on one channel."""

    def __init__(
        self, service: str, message: aiormq.abc.DeliveredMessage, acks: _Acks, move: Move
    ) -> None:
        self._service, self._acks, self._move = service, acks, move
        self._tag = message.delivery_tag or 0
        headers = message.header.properties.headers or {}
        self.envelope = envelope_of(message)
        self.attempts = attempts_of(headers)
        self.redelivered = bool(message.redelivered)
        self.redriven = "x-redriven" in headers

    async def ack(self) -> None:
        self._acks.settle(self._tag, _State.DONE)

    async def requeue(self) -> None:
        self._acks.settle(self._tag, _State.BACK)

    async def retry(self, failed: Attempt) -> None:
        headers: FieldTable = {"x-attempts": told(*self.attempts, failed)}
        await self._move(f"{self._service}.retry.{failed.number}", self.envelope, headers)
        await self.ack()

    async def dead_letter(self, operation: str, reason: str, failed: Attempt) -> None:
        letter = DeadLetter(
            envelope=self.envelope,
            queue=self._service,
            operation=operation,
            reason=reason,
            attempts=(*self.attempts, failed),
        )
        headers = dead_letter_headers(letter)
        await self._move(f"{self._service}.dead", self.envelope, headers)
        await self.ack()


@asynccontextmanager
async def deliveries(
    url: str, *, queues: Queues, service: str, prefetch: int, move: Move
) -> AsyncIterator[AsyncIterator[Delivery]]:
    """Deliveries of a service's queue, across restarts of the broker, on connections of their own.

    Queues that somebody has deleted meanwhile are declared again.
    At the end the connection is closed: what is in hand is delivered again.
    """
    arrived: asyncio.Queue[Delivery | BaseException] = asyncio.Queue()

    async def feed() -> None:
        try:
            while True:
                with contextlib.suppress(*LOST):
                    await _consume(
                        url, queues, service=service, prefetch=prefetch, move=move, to=arrived
                    )
                await asyncio.sleep(REOPEN_S)
        except Exception as broken:
            arrived.put_nowait(broken)

    feeding = asyncio.create_task(feed())
    try:
        yield _each(arrived)
    finally:
        # LOOK: an error while a connection is closed can take the place of the cancellation that closes it.
        while not feeding.done():
            feeding.cancel()
            await asyncio.wait([feeding], timeout=REOPEN_S)


async def _consume(
    url: str,
    queues: Queues,
    *,
    service: str,
    prefetch: int,
    move: Move,
    to: "asyncio.Queue[Delivery | BaseException]",
) -> None:
    """Consume on one connection until it, its channel or its consumer is gone."""
    connection = await connect(url)
    acks = None
    try:
        await queues.declare(connection)
        opened = connection.channel()
        await opened.initialize()
        await opened.set_qos(prefetch_count=prefetch)
        channel = await opened.get_underlay_channel()
        acks = holding = _Acks(channel)
        gone = asyncio.get_running_loop().create_future()

        def cancelled(_: object) -> None:  # the queue was deleted, or its leader moved
            if not gone.done():
                gone.set_result(None)

        async def take(message: aiormq.abc.DeliveredMessage) -> None:
            holding.took(message.delivery_tag or 0)
            to.put_nowait(_Delivery(service, message, holding, move))

        channel.on_consumer_cancel_callbacks.add(cancelled)
        await channel.basic_consume(queues.service(service), take)
        closed = asyncio.ensure_future(opened.closed())
        try:
            await asyncio.wait({closed, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
    finally:
        try:
            if acks is not None:
                await acks.close()
        finally:
            await close(connection)


async def _each(
    arrived: "asyncio.Queue[Delivery | BaseException]",
) -> AsyncIterator[Delivery]:
    """Deliveries without end. Raise what ended the feed, so that a dead consumer cannot go unnoticed."""
    while True:
        following = await arrived.get()
        if isinstance(following, BaseException):
            raise following
        yield following
