"""Publishing to RabbitMQ: persistent, mandatory, confirmed, many at a time on one channel.

Each message is also told to the audit, in batches, so that an operator can see everything that was said without
making every message routable: a queue bound to `#` would hide that nobody else heard it.
"""

import asyncio

import aiormq
from aio_pika.abc import AbstractConnection
from pamqp.commands import Basic
from pamqp.common import FieldTable

from choreography.cloud_events import CONTENT_TYPE, Envelope
from choreography.rabbit_connection import LOST
from shared_domain.errors import Failure, NotDelivered, OutcomeUnknown

CONFIRM_S = 10.0
"""Wait for a confirm before the outcome counts as unknown."""
BLOCKED_S = 1.0
"""Wait while the broker blocks publishers (memory or disk alarm) before a publish fails, with nothing sent."""
BATCH_TYPE = "application/cloudevents-batch+json"
MOST_IN_BATCH = 256
_PERSISTENT = 2


class Publisher:
    """One channel of one connection. When it is lost, every publish on it fails and another one is needed."""

    def __init__(
        self, connection: AbstractConnection, channel: aiormq.channel.Channel, *, audit: str
    ) -> None:
        self._connection, self._channel, self._audit = connection, channel, audit
        self._told: list[tuple[bytes, asyncio.Future[None]]] = []
        self._telling: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, connection: AbstractConnection, *, audit: str, confirms: bool
    ) -> "Publisher":
        """A publisher on a new channel of `connection`."""
        channel = connection.channel(publisher_confirms=confirms)
        await channel.initialize()
        underlay = await channel.get_underlay_channel()
        assert isinstance(underlay, aiormq.channel.Channel)  # it alone can publish without draining
        return cls(connection, underlay, audit=audit)

    @property
    def is_open(self) -> bool:
        """Whether its channel was open a moment ago."""
        return not self._channel.is_closed and not self._connection.is_closed

    async def publish(self, message: Envelope, *, exchange: str, heard: bool) -> None:
        """Return once the broker has the message, and the audit too. Raise NotDelivered or OutcomeUnknown.

        `heard`: whether a service is meant to hear it; it is then an error if no queue takes it.
        """
        audited = self._tell(message.body)
        try:
            if heard:
                await self.send(message, {}, exchange=exchange, routing_key=message.routing_key)
        finally:
            await asyncio.wait([audited])
        audited.result()

    async def send(
        self, message: Envelope, headers: FieldTable, *, exchange: str, routing_key: str
    ) -> None:
        """Publish with these headers too. Raise NotDelivered or OutcomeUnknown."""
        ids: FieldTable = {"caused_by": message.caused_by, "traceparent": message.traceparent}
        properties = Basic.Properties(
            content_type=CONTENT_TYPE,
            delivery_mode=_PERSISTENT,
            message_id=message.message_id,
            correlation_id=message.order_id,
            message_type=message.routing_key,
            headers=ids | headers,
        )
        await self._confirmed(message.body, properties, exchange, routing_key)

    async def _confirmed(
        self, body: bytes, properties: Basic.Properties, exchange: str, routing_key: str
    ) -> None:
        """Publish and wait for the confirm; translate what can go wrong."""
        await self._unblocked()
        try:
            answer = await self._channel.basic_publish(
                body,
                exchange=exchange,
                routing_key=routing_key,
                properties=properties,
                mandatory=True,
                timeout=CONFIRM_S,
                wait=False,
            )
        except LOST as error:
            raise OutcomeUnknown(f"no confirm from RabbitMQ: {error!r}") from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # A lost connection cancels aiormq's confirmations without cancelling us.
            raise OutcomeUnknown("the connection was lost before the confirm") from None
        if isinstance(answer, aiormq.abc.DeliveredMessage):
            raise NotDelivered(
                f"RabbitMQ has no queue for {routing_key} at {exchange or 'default'}"
            )

    async def _unblocked(self) -> None:
        transport = self._connection.transport
        if transport is None:
            raise NotDelivered("the connection to RabbitMQ is closed")
        try:
            async with asyncio.timeout(BLOCKED_S):
                await transport.connection.ready()
        except TimeoutError:
            raise NotDelivered("RabbitMQ blocks publishers: memory or disk alarm") from None

    def _tell(self, body: bytes) -> asyncio.Future[None]:
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        told.add_done_callback(_seen)
        self._told.append((body, told))
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_audit())
        return told

    async def _tell_audit(self) -> None:
        """Publish what has come together, one batch after another, until nothing is left."""
        await asyncio.sleep(
            0
        )  # LOOK: whatever else this turn of the loop publishes shares the batch
        while self._told:
            batch, self._told = self._told[:MOST_IN_BATCH], self._told[MOST_IN_BATCH:]
            body = b"[" + b",".join(body for body, _ in batch) + b"]"
            properties = Basic.Properties(content_type=BATCH_TYPE, delivery_mode=_PERSISTENT)
            try:
                await self._confirmed(body, properties, "", self._audit)
            except Failure as failure:
                for _, told in batch:
                    told.set_exception(failure)
            else:
                for _, told in batch:
                    told.set_result(None)


def _seen(told: asyncio.Future[None]) -> None:
    """A failed copy for the audit is no news to a publisher that has failed already."""
    if not told.cancelled():
        told.exception()
