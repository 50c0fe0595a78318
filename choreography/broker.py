"""What the choreography needs from a broker, and what it must not hope for."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from shared_domain import messages
from shared_domain.messages import Message

AUDIT, DEAD = "audit", "dead"
"""Names of the queue that hears every message, and of the one that keeps what nobody could handle."""
PREFETCH = 64
"""Most deliveries in a service's hands at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message as the broker sees it: headers it may show to an operator, and a body it does not read."""

    routing_key: str
    message_id: str
    order_id: str
    caused_by: str
    traceparent: str
    body: bytes


def envelope(message: Message) -> Envelope:
    """The envelope of a message of this saga."""
    return Envelope(
        routing_key=message.name,
        message_id=message.message_id,
        order_id=message.order_id,
        caused_by=message.caused_by,
        traceparent=message.traceparent,
        body=messages.to_bytes(message),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The queues of one run. Every name starts with `prefix`, so that runs may share a broker."""

    prefix: str
    bindings: dict[str, tuple[str, ...]]
    """queue -> routing keys it hears."""
    retry_delays_s: tuple[float, ...]
    """Scaled wait before each retry; one delay queue each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that its consumer could not handle."""

    envelope: Envelope
    queue: str
    operation: str
    reason: str


class Delivery(Protocol):
    """One message in a consumer's hands until it is acked, retried, requeued or dead-lettered.

    Not promised: that this is the only delivery of the message. If the connection is lost first,
    `ack` and `requeue` return and the message is delivered again.
    """

    envelope: Envelope
    attempt: int
    """1 on the first delivery, one more after each `retry`. A redelivery does not count."""

    async def ack(self) -> None:
        """The message is done with."""
        ...

    async def requeue(self) -> None:
        """Deliver it again at once, as after a lost connection."""
        ...

    async def retry(self) -> None:
        """Deliver it again after the delay of this attempt, as the next attempt.

        Raise Failure if the broker did not take it; it is then still in hand.
        """
        ...

    async def dead_letter(self, operation: str, reason: str) -> None:
        """Keep it for an operator, with the operation that failed ("" = unreadable). Raise Failure if the broker did not take it; it is then still in hand."""
        ...


class Broker(Protocol):
    """A topic exchange with one durable queue per service.

    Promised: a published message is durable in every bound queue once `publish` returns, and is delivered
    to one consumer of each until it is acked: at least once, across kill -9 of the broker.
    Not promised: order, exactly once, or that a failed `publish` did not publish.
    """

    async def publish(self, message: Envelope) -> None:
        """Return once the broker has confirmed. Raise NotDelivered or OutcomeUnknown."""
        ...

    def subscribe(self, queue: str) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """Deliveries of `queue`, without end, across restarts of the broker.

        Leaving the context closes the connection: what is still in hand is delivered again.
        """
        ...

    async def dead_letters(self) -> list[DeadLetter]:
        """Everything in the dead-letter queue, left there. Raise Failure if the broker does not answer."""
        ...

    async def audit(self) -> list[Envelope]:
        """Every message published so far, in the order in which the broker took them."""
        ...

    async def aclose(self) -> None:
        """Close connections and remove this run's queues."""
        ...
