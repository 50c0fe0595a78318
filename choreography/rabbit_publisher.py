"""Publishing to RabbitMQ: persistent, mandatory, confirmed, many at a time on one channel."""

import asyncio

import aiormq
from aio_pika.abc import AbstractConnection
from pamqp.commands import Basic
from pamqp.common import FieldTable

from choreography.cloud_events import CONTENT_TYPE, Envelope
from choreography.rabbit_connection import LOST, at_once
from kernel.errors import NotDelivered, OutcomeUnknown

CONFIRM_S = 10.0
"""Wait for a confirm before the outcome counts as unknown."""
BLOCKED_S = 1.0
"""Wait while the broker blocks publishers (memory or disk alarm) before a publish fails, with nothing sent."""
_PERSISTENT = 2


class NoQueue(NotDelivered):
    """Definite: no queue takes the message."""


class Publisher:
    """One channel of one connection. When it is lost, every publish on it fails and another one is needed."""

    def __init__(self, connection: AbstractConnection, channel: aiormq.channel.Channel) -> None:
        self._connection, self._channel = connection, channel

    @classmethod
    async def open(cls, connection: AbstractConnection, *, confirms: bool) -> "Publisher":
        """A publisher on a new channel of `connection`."""
        channel = connection.channel(publisher_confirms=confirms)
        await channel.initialize()
        underlay = await channel.get_underlay_channel()
        assert isinstance(underlay, aiormq.channel.Channel)  # it alone can publish without draining
        return cls(connection, underlay)

    @property
    def is_open(self) -> bool:
        """Whether its channel was open a moment ago."""
        return not self._channel.is_closed and not self._connection.is_closed

    async def publish(
        self, message: Envelope, headers: FieldTable, *, exchange: str, routing_key: str
    ) -> None:
        """Return once the broker has the message. Raise NotDelivered (no queue takes it, too) or OutcomeUnknown."""
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

    async def publish_plain(self, body: bytes, *, content_type: str, queue: str) -> None:
        """Publish a body straight to a queue. Raise NotDelivered or OutcomeUnknown."""
        properties = Basic.Properties(content_type=content_type, delivery_mode=_PERSISTENT)
        await self._confirmed(body, properties, "", queue)

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
        except aiormq.exceptions.DeliveryError as error:
            # Of several queues, others may have taken it.
            raise OutcomeUnknown(
                f"RabbitMQ refused a message for {routing_key}: a queue is as long as a policy allows (max-length)"
            ) from error
        except LOST as error:
            raise OutcomeUnknown(f"no confirm from RabbitMQ: {error!r}") from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # A lost connection cancels aiormq's confirmations without cancelling us.
            raise OutcomeUnknown("the connection was lost before the confirm") from None
        if isinstance(answer, aiormq.abc.DeliveredMessage):
            raise NoQueue(f"RabbitMQ has no queue for {routing_key} at {exchange or 'default'}")

    async def _unblocked(self) -> None:
        transport = self._connection.transport
        if transport is None:
            raise NotDelivered("the connection to RabbitMQ is closed")
        if at_once(transport.connection.ready()):
            return
        try:
            async with asyncio.timeout(BLOCKED_S):
                await transport.connection.ready()
        except TimeoutError:
            raise NotDelivered("RabbitMQ blocks publishers: memory or disk alarm") from None
        except LOST as error:
            raise NotDelivered(f"the connection was lost while it was blocked: {error}") from error
