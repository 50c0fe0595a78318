"""What the choreography needs from a broker, and what it must not hope for."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from choreography.cloud_events import Envelope

PREFETCH = 64
"""Most deliveries in a service's hands at once, unless the topology says otherwise."""
MAX_REDELIVERIES = 20
"""A message that has come back this often without an ack counts as one whose retry budget is spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The queues of one run. Every name starts with `prefix`, so that runs may share a broker."""

    prefix: str
    bindings: dict[str, tuple[str, ...]]
    """queue -> routing keys it hears."""
    retry_delays_s: tuple[float, ...]
    """Scaled wait before each retry; one delay queue each."""
    prefetch: dict[str, int] = field(default_factory=dict)
    """queue -> most deliveries in its consumer's hands; PREFETCH for the others."""

    def heard(self, routing_key: str) -> bool:
        """Whether any service is meant to hear this. What nobody is meant to hear goes to the audit alone."""
        return any(routing_key in keys for keys in self.bindings.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One failed attempt at a message, as its headers remember it: its number (1 = first), why, and when."""

    number: int
    fault: str
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that its consumer could not handle, and all that is known about why.

    `attempts`: every failed one, oldest first; the last is the cause. None if the broker itself gave the message up.
    """

    envelope: Envelope
    queue: str
    operation: str
    reason: str
    attempts: tuple[Attempt, ...] = ()

    @property
    def fault(self) -> str:
        """The failure that parked it."""
        return self.attempts[-1].fault if self.attempts else ""

    @property
    def letter_id(self) -> str:
        """Names this letter on a command line; the same each time it is read."""
        text = f"{self.queue}\0{self.envelope.message_id}\0".encode() + self.envelope.body
        return hashlib.sha256(text).hexdigest()[:8]


Wanted = Callable[[DeadLetter], bool]


class Delivery(Protocol):
    """One message in a consumer's hands until it is acked, retried, requeued or dead-lettered.

    Not promised: that this is the only delivery of the message, or that an ack has reached the broker
    when `ack` returns. If the connection is lost first, the message is delivered again.
    """

    envelope: Envelope
    attempts: tuple[Attempt, ...]
    """The failed attempts so far: one more after each `retry`. A redelivery is none."""
    redelivered: bool
    """Whether it has been in a consumer's hands before. Not promised: that this is known after a kill -9 of the broker."""
    redriven: bool
    """Whether an operator has sent it here again."""

    async def ack(self) -> None:
        """The message is done with."""
        ...

    async def requeue(self) -> None:
        """Deliver it again at once, as after a lost connection."""
        ...

    async def retry(self, failed: Attempt) -> None:
        """Deliver it again after the delay of this attempt, as the next attempt.

        Raise Failure if the broker did not take it; it is then still in hand.
        """
        ...

    async def dead_letter(self, operation: str, reason: str, failed: Attempt) -> None:
        """Keep it for an operator, with the operation that failed ("" = unreadable) and the failure that ended it.

        Raise Failure if the broker did not take it; it is then still in hand.
        """
        ...


class Broker(Protocol):
    """A topic exchange with one durable queue per service, and a dead-letter queue for each.

    Promised: a published message is durable in every bound queue once `publish` returns, and is delivered
    to one consumer of each until it is acked: at least once, across kill -9 of the broker. A message that
    a service is meant to hear and no queue takes is an error. A dead letter stays until an operator moves it.
    Not promised: order, neither between orders nor within one (a retry or a redelivery is overtaken by what
    came later; participants answer any message at any time); exactly once; that a failed `publish` did not
    publish.
    """

    async def publish(self, message: Envelope) -> None:
        """Return once the broker has confirmed. Raise NotDelivered (nobody has it) or OutcomeUnknown."""
        ...

    async def audited(self) -> None:
        """Return once what was published through this object is in the audit too. Raise Failure.

        Only then is an event told for good: a publisher that dies before is not in the audit with its last words.
        """
        ...

    def subscribe(self, queue: str) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """Deliveries of `queue`, without end, across restarts of the broker.

        Leaving the context closes the connection: what is still in hand is delivered again.
        """
        ...

    async def dead_letters(self) -> list[DeadLetter]:
        """Every dead letter, left where it is. Raise Failure if the broker does not answer."""
        ...

    async def redrive(self, wanted: Wanted) -> list[DeadLetter]:
        """Send the wanted dead letters to their service again, with a fresh retry budget; those it sent.

        Raise Failure if the broker does not answer; some may have been sent then, and asking again is harmless.
        """
        ...

    async def discard(self, wanted: Wanted) -> list[DeadLetter]:
        """Delete the wanted dead letters; those it deleted. Raise Failure if the broker does not answer."""
        ...

    async def restore(self, letters: list[DeadLetter]) -> None:
        """Park letters that another broker kept. Raise Failure if the broker does not answer."""
        ...

    async def waiting(self) -> int:
        """How many messages wait for a service or for a retry. Not promised: that those in hand count. Raise Failure."""
        ...

    async def audit(self) -> list[Envelope]:
        """Every message published so far, in the order in which the broker took them."""
        ...

    async def aclose(self) -> None:
        """Close connections and remove this run's queues."""
        ...
