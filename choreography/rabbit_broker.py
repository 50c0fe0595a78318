"""The Broker port over RabbitMQ: durable topic exchange, one durable queue per service, persistent messages,
publisher confirms, manual acks, prefetch, one delay queue per retry, a dead-letter queue.

Every connection is opened again after it is lost: see docs/decisions/0003-plain-connections.md.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import aio_pika
import aiormq
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractExchange,
    AbstractIncomingMessage,
    AbstractQueue,
)
from aio_pika.connection import make_url
from pamqp.common import FieldTable

from choreography.broker import AUDIT, DEAD, PREFETCH, DeadLetter, Delivery, Envelope, Topology
from shared_domain.errors import NotDelivered, OutcomeUnknown, UsageError

QUEUE_TYPE = {"process": "classic", "power": "quorum"}
# Without it, a quorum queue that comes back before its target drops what has expired meanwhile.
_KEEP_EXPIRED: FieldTable = {
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}
CONFIRM_S = 10.0
"""Wait for a confirm before the outcome counts as unknown."""
REOPEN_S = 0.1
"""Wait between two attempts to open a lost connection."""
_LOST = (aiormq.exceptions.AMQPError, ConnectionError, TimeoutError, OSError, RuntimeError)


async def _connect(url: str) -> AbstractConnection:
    """An open connection. Raise one of _LOST if there is none; nothing is left for the garbage collector then."""
    connection = aio_pika.Connection(make_url(url))
    try:
        await connection.connect(timeout=CONFIRM_S)
    except BaseException:
        await connection.close()
        raise
    return connection


async def check_server(url: str) -> None:
    """See the server answer once. Raise UsageError if it does not."""
    try:
        connection = await _connect(url)
    except (*_LOST, ValueError) as error:
        where = url.rpartition("@")[2]
        raise UsageError(
            f"RabbitMQ at {url.partition(':')[0]}://{where} does not answer ({error}):"
            " check the address, or use --broker memory"
        ) from error
    await connection.close()


class _Delivery:
    """One unacked message on one channel."""

    def __init__(
        self, broker: "RabbitBroker", queue: str, message: AbstractIncomingMessage
    ) -> None:
        self._broker, self._queue, self._message = broker, queue, message
        self.envelope = _envelope(message)
        self.attempt = int(str(message.headers.get("x-attempt", 1)))

    async def ack(self) -> None:
        with contextlib.suppress(*_LOST):  # a lost ack means a redelivery, which is promised
            await self._message.ack()

    async def requeue(self) -> None:
        with contextlib.suppress(*_LOST):
            await self._message.nack(requeue=True)

    async def retry(self) -> None:
        delayed = _message(self.envelope, {"x-attempt": self.attempt + 1})
        await self._broker.send(delayed, queue=f"{self._queue}.retry.{self.attempt}")
        await self.ack()

    async def dead_letter(self, operation: str, reason: str) -> None:
        why = {"x-queue": self._queue, "x-operation": operation, "x-reason": reason}
        dead = _message(self.envelope, dict(why))
        await self._broker.send(dead, queue=DEAD)
        await self.ack()


class RabbitBroker:
    """One run's exchange and queues on a RabbitMQ server. Open it with `async with RabbitBroker.open(...)`."""

    def __init__(self, url: str, topology: Topology, *, durability: str, confirms: bool) -> None:
        self._url, self._topology, self._confirms = url, topology, confirms
        self._arguments: FieldTable = {"x-queue-type": QUEUE_TYPE[durability]}
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, topology: Topology, *, durability: str = "process", confirms: bool = True
    ) -> AsyncIterator["RabbitBroker"]:
        """Declare the topology and see it answer. Raise NotDelivered if the server does not within CONFIRM_S."""
        broker = cls(url, topology, durability=durability, confirms=confirms)
        try:
            await broker._open_patiently()
            yield broker
        finally:
            await broker._close()

    async def publish(self, message: Envelope) -> None:
        """See Broker."""
        exchange = await self._open()
        await _confirmed(
            exchange.publish(_message(message, {}), message.routing_key, timeout=CONFIRM_S)
        )

    async def send(self, message: aio_pika.Message, *, queue: str) -> None:
        """Publish straight to one queue of this run, with a confirm."""
        await self._open()
        assert self._channel is not None
        target = self._name(queue)
        await _confirmed(self._channel.default_exchange.publish(message, target, timeout=CONFIRM_S))

    @asynccontextmanager
    async def subscribe(self, queue: str) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See Broker."""
        arrived: asyncio.Queue[Delivery] = asyncio.Queue(maxsize=4 * PREFETCH)
        feeding = asyncio.create_task(self._feed(queue, arrived))
        try:
            yield _each(arrived, feeding)
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])

    async def dead_letters(self) -> list[DeadLetter]:
        """See Broker."""
        return [
            DeadLetter(
                envelope=_envelope(message),
                queue=str(message.headers.get("x-queue", "")),
                operation=str(message.headers.get("x-operation", "")),
                reason=str(message.headers.get("x-reason", "")),
            )
            for message in await self._peek(DEAD)
        ]

    async def audit(self) -> list[Envelope]:
        """See Broker."""
        return [_envelope(message) for message in await self._peek(AUDIT)]

    async def aclose(self) -> None:
        """See Broker."""
        with contextlib.suppress(*_LOST, NotDelivered):
            await self._open()
            assert self._channel is not None
            for queue in self._queues():
                await self._channel.queue_delete(self._name(queue))
            await self._channel.exchange_delete(self._name("events"))

    async def _open(self) -> AbstractExchange:
        """The exchange, on a connection that was alive a moment ago. Raise NotDelivered."""
        async with self._opening:
            if self._exchange and self._channel and not self._channel.is_closed:
                return self._exchange
            try:
                await self._close()
                self._connection = await _connect(self._url)
                self._channel = await self._connection.channel(publisher_confirms=self._confirms)
                self._exchange = await self._declare(self._channel)
            except _LOST as error:
                raise NotDelivered(f"RabbitMQ does not answer: {error}") from error
            return self._exchange

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
            with contextlib.suppress(*_LOST):
                await self._connection.close()

    async def _declare(self, channel: AbstractChannel) -> AbstractExchange:
        exchange = await channel.declare_exchange(
            self._name("events"), aio_pika.ExchangeType.TOPIC, durable=True
        )
        for queue, keys in {**self._topology.bindings, AUDIT: ("#",), DEAD: ()}.items():
            declared = await channel.declare_queue(
                self._name(queue), durable=True, arguments=self._arguments
            )
            for key in keys:
                await declared.bind(exchange, key)
        for queue in self._topology.bindings:
            for number, delay_s in enumerate(self._topology.retry_delays_s, 1):
                # LOOK: RabbitMQ has no "deliver later". A queue that nobody reads, whose messages
                # expire into the service's own queue, is one.
                arguments: FieldTable = self._arguments | {
                    "x-message-ttl": max(1, round(delay_s * 1000)),
                    "x-dead-letter-exchange": "",
                    "x-dead-letter-routing-key": self._name(queue),
                }
                if arguments["x-queue-type"] == "quorum":
                    arguments |= _KEEP_EXPIRED
                await channel.declare_queue(
                    self._name(f"{queue}.retry.{number}"), durable=True, arguments=arguments
                )
        return exchange

    def _queues(self) -> list[str]:
        retries = range(1, len(self._topology.retry_delays_s) + 1)
        services = list(self._topology.bindings)
        return [*services, *(f"{s}.retry.{n}" for s in services for n in retries), AUDIT, DEAD]

    async def _feed(self, queue: str, arrived: asyncio.Queue[Delivery]) -> None:
        while True:
            with contextlib.suppress(*_LOST):
                connection = await _connect(self._url)
                try:
                    channel = await connection.channel()
                    await channel.set_qos(prefetch_count=PREFETCH)
                    source = await channel.get_queue(self._name(queue), ensure=False)
                    await self._consume(source, queue, arrived)
                    await channel.closed()
                finally:
                    await connection.close()
            await asyncio.sleep(REOPEN_S)

    async def _consume(
        self, source: AbstractQueue, queue: str, arrived: asyncio.Queue[Delivery]
    ) -> None:
        async def take(message: AbstractIncomingMessage) -> None:
            await arrived.put(_Delivery(self, queue, message))

        await source.consume(take)

    async def _peek(self, queue: str) -> list[AbstractIncomingMessage]:
        """Everything in a queue, put back by closing the channel."""
        await self._open()
        assert self._connection is not None
        found: list[AbstractIncomingMessage] = []
        try:
            async with self._connection.channel() as channel:
                source = await channel.get_queue(self._name(queue), ensure=False)
                while message := await source.get(fail=False):
                    found.append(message)
        except _LOST as error:
            raise NotDelivered(f"RabbitMQ does not answer: {error}") from error
        return found

    def _name(self, queue: str) -> str:
        return f"{self._topology.prefix}.{queue}"


async def _each(
    arrived: asyncio.Queue[Delivery], feeding: asyncio.Task[None]
) -> AsyncIterator[Delivery]:
    """Deliveries without end. Raise what ended the feed, so that a dead consumer cannot go unnoticed."""
    while True:
        following = asyncio.ensure_future(arrived.get())
        try:
            await asyncio.wait({following, feeding}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                raise feeding.exception() or RuntimeError("the feed ended")
            yield following.result()
        finally:
            following.cancel()


async def _confirmed(publishing: Awaitable[object]) -> None:
    """Wait for a confirm; translate what can go wrong."""
    try:
        result = await publishing
    except _LOST as error:
        raise OutcomeUnknown(f"no confirm from RabbitMQ: {error!r}") from error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # A lost connection cancels aiormq's confirmations without cancelling us.
        raise OutcomeUnknown("the connection was lost before the confirm") from None
    if isinstance(result, aiormq.spec.Basic.Return | aiormq.abc.DeliveredMessage):
        raise NotDelivered(f"RabbitMQ found no queue for it: {result}")


def _message(envelope: Envelope, headers: dict[str, str | int]) -> aio_pika.Message:
    ids = {
        "order_id": envelope.order_id,
        "caused_by": envelope.caused_by,
        "traceparent": envelope.traceparent,
        "routing_key": envelope.routing_key,
    }
    return aio_pika.Message(
        envelope.body,
        message_id=envelope.message_id,
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        headers={**ids, **headers},
    )


def _envelope(message: AbstractIncomingMessage) -> Envelope:
    def header(name: str) -> str:
        return str(message.headers.get(name, ""))

    return Envelope(
        routing_key=header("routing_key") or message.routing_key or "",
        message_id=message.message_id or "",
        order_id=header("order_id"),
        caused_by=header("caused_by"),
        traceparent=header("traceparent"),
        body=message.body,
    )
