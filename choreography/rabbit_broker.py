"""The Broker port over RabbitMQ, for one run: a publisher, consumers, and what an operator does with dead letters."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection
from pamqp.common import FieldTable

from choreography.broker import PREFETCH, DeadLetter, Delivery, Topology, Wanted
from choreography.cloud_events import Envelope
from choreography.rabbit_audit import BATCH_TYPE, Audit
from choreography.rabbit_connection import LOST, REOPEN_S, close, connect
from choreography.rabbit_consumer import deliveries
from choreography.rabbit_headers import dead_letter_headers, dead_letter_of
from choreography.rabbit_publisher import CONFIRM_S, NoQueue, Publisher
from choreography.rabbit_topology import Queues
from kernel.errors import NotDelivered

READ_S = 10.0
"""Longest silence of a server while a queue is read."""


class RabbitBroker:
    """One run's exchange and queues on a RabbitMQ server. Open it with `async with RabbitBroker.open(...)`."""

    def __init__(self, url: str, topology: Topology, *, durability: str, confirms: bool) -> None:
        self._url, self._topology, self._confirms = url, topology, confirms
        self._queues = Queues(topology, durability=durability)
        self._opening, self._one_reader = asyncio.Lock(), asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._publisher: Publisher | None = None
        self._audit = Audit(self._write_audit)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, topology: Topology, *, durability: str = "process", confirms: bool = True
    ) -> AsyncIterator["RabbitBroker"]:
        """Declare the topology and see it answer.

        Raise NotDelivered if the server does not within CONFIRM_S, UsageError if a queue is there with other arguments.
        """
        broker = cls(url, topology, durability=durability, confirms=confirms)
        try:
            await broker._open_patiently()
            yield broker
        finally:
            await broker._audit.close()
            await broker._close()

    async def publish(self, message: Envelope) -> None:
        """See Broker."""
        publisher = await self._open()
        self._audit.tell(message)
        if self._topology.heard(message.routing_key):
            exchange, routing_key = self._queues.exchange, message.routing_key
            await publisher.publish(message, {}, exchange=exchange, routing_key=routing_key)

    async def audited(self) -> None:
        """See Broker."""
        await self._audit.written()

    def subscribe(self, queue: str) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """See Broker."""
        return deliveries(
            self._url,
            queues=self._queues,
            service=queue,
            prefetch=self._topology.prefetch.get(queue, PREFETCH),
            move=self._send,
        )

    async def dead_letters(self) -> list[DeadLetter]:
        """See Broker."""
        found = []
        for service in self._topology.bindings:
            async with self._reading(self._queues.dead(service)) as (messages, _):
                found += [dead_letter_of(message, service) for message in messages]
        return found

    async def redrive(self, wanted: Wanted) -> list[DeadLetter]:
        """See Broker."""
        return await self._take(wanted, redrive=True)

    async def discard(self, wanted: Wanted) -> list[DeadLetter]:
        """See Broker."""
        return await self._take(wanted, redrive=False)

    async def restore(self, letters: list[DeadLetter]) -> None:
        """See Broker."""
        for letter in letters:
            await self._send(f"{letter.queue}.dead", letter.envelope, dead_letter_headers(letter))

    async def audit(self) -> list[Envelope]:
        """See Broker."""
        await self._audit.written()
        envelopes = []
        async with self._reading(self._queues.audit) as (batches, _):
            for batch in batches:
                envelopes += Audit.read(batch.body)
        return envelopes

    async def waiting(self) -> int:
        """See Broker. RabbitMQ does not count what is in a consumer's hands."""
        await self._open()
        assert self._connection is not None
        try:
            async with self._connection.channel() as channel:
                return sum([await _count(channel, name) for name in self._queues.work()])
        except aiormq.exceptions.ChannelNotFoundEntity as gone:
            await self._declare()
            raise NotDelivered(f"a queue was gone, and is declared again: {gone}") from gone
        except LOST as error:
            raise NotDelivered(f"RabbitMQ does not answer: {error}") from error

    async def aclose(self) -> None:
        """See Broker."""
        await self._audit.close()
        with contextlib.suppress(*LOST, NotDelivered):
            await self._open()
            assert self._connection is not None
            async with self._connection.channel() as channel:
                await self._queues.delete(channel)

    async def _send(self, queue: str, message: Envelope, headers: FieldTable) -> None:
        """Publish straight to one queue of this run, with a confirm."""
        target = f"{self._topology.prefix}.{queue}"

        async def send() -> None:
            publisher = await self._open()
            await publisher.publish(message, headers, exchange="", routing_key=target)

        await self._declared(send)

    async def _write_audit(self, batch: bytes) -> None:
        async def send() -> None:
            publisher = await self._open()
            await publisher.publish_plain(batch, content_type=BATCH_TYPE, queue=self._queues.audit)

        await self._declared(send)

    async def _declared(self, send: Callable[[], Awaitable[None]]) -> None:
        """Send to a queue; if somebody or a policy (expires) has deleted it, declare it again and send once more."""
        try:
            await send()
        except NoQueue:
            await self._declare()
            await send()

    async def _declare(self) -> None:
        """Declare the topology again. Raise NotDelivered."""
        await self._open()
        assert self._connection is not None
        try:
            await self._queues.declare(self._connection)
        except LOST as error:
            raise NotDelivered(f"RabbitMQ does not answer: {error}") from error

    async def _open(self) -> Publisher:
        """A publisher that was open a moment ago. Raise NotDelivered."""
        if self._publisher is not None and self._publisher.is_open:
            return self._publisher
        async with self._opening:
            if self._publisher is not None and self._publisher.is_open:
                return self._publisher
            try:
                await self._close()
                self._connection = await connect(self._url)
                await self._queues.declare(self._connection)
                self._publisher = await Publisher.open(self._connection, confirms=self._confirms)
            except LOST as error:
                raise NotDelivered(f"RabbitMQ does not answer: {error}") from error
            return self._publisher

    async def _open_patiently(self) -> None:
        """A node that has just come back refuses quorum queues for a moment."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + CONFIRM_S
        while True:
            try:
                await self._open()
            except NotDelivered:
                if loop.time() > give_up_at:
                    raise
                await asyncio.sleep(REOPEN_S)
            else:
                return

    async def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(*LOST):
                await close(self._connection)

    async def _take(self, wanted: Wanted, *, redrive: bool) -> list[DeadLetter]:
        """Take the wanted dead letters out of their queues; the others stay in their order."""
        found = []
        for service in self._topology.bindings:
            async with self._reading(self._queues.dead(service)) as (messages, taken):
                for message in messages:
                    letter = dead_letter_of(message, service)
                    if wanted(letter):
                        if redrive:
                            await self._send(service, letter.envelope, {"x-redriven": 1})
                        await message.channel.basic_ack(message.delivery_tag or 0)
                        taken.append(message)
                        found.append(letter)
        return found

    async def _count_or_declare(self, queue: str) -> int:
        """How many messages of a queue are in nobody's hands; none if it has to be declared again."""
        assert self._connection is not None
        try:
            async with self._connection.channel() as opened:
                return await _count(opened, queue)
        except aiormq.exceptions.ChannelNotFoundEntity:
            await self._declare()
            return 0

    @asynccontextmanager
    async def _reading(
        self, queue: str
    ) -> AsyncIterator[tuple[list[aiormq.abc.DeliveredMessage], list[aiormq.abc.DeliveredMessage]]]:
        """Everything in a queue, and a list for what the caller acks; the rest is put back where it was.

        Raise NotDelivered if the broker does not answer.
        """
        await self._open()
        assert self._connection is not None
        taken: list[aiormq.abc.DeliveredMessage] = []
        try:
            # What one reader holds, another would not find.
            async with self._one_reader:
                count = await self._count_or_declare(queue)
                async with self._connection.channel() as opened:
                    channel = await opened.get_underlay_channel()
                    arrived: asyncio.Queue[aiormq.abc.DeliveredMessage] = asyncio.Queue()
                    if count:
                        await channel.basic_consume(queue, arrived.put)
                    async with asyncio.timeout(READ_S + count / 1000):
                        yield [await arrived.get() for _ in range(count)], taken
                # A quorum queue has them again only some time after the channel was closed.
                async with self._connection.channel() as opened, asyncio.timeout(READ_S):
                    while await _count(opened, queue) < count - len(taken):
                        await asyncio.sleep(REOPEN_S / 10)
        except TimeoutError as error:
            raise NotDelivered(
                f"the queue {queue} could not be read: RabbitMQ does not answer, or a purge or a policy"
                " (message-ttl, expires, delivery-limit) takes its messages meanwhile"
            ) from error
        except LOST as error:
            raise NotDelivered(f"RabbitMQ does not answer: {error}") from error


async def _count(channel: AbstractChannel, queue: str) -> int:
    """How many messages of a queue are in nobody's hands."""
    declared = await channel.declare_queue(queue, passive=True)
    return declared.declaration_result.message_count or 0
