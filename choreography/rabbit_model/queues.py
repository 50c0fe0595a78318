"""The queues of a modelled node: in which order messages leave, to whom, and what comes back.

Source: RabbitMQ's documentation of queues, consumer prefetch, negative acknowledgements, TTL, length limits and dead lettering.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What was published: its content as it came, header and body unread."""

    exchange: str
    routing_key: str
    header: bytes
    body: bytes


@dataclass(slots=True, eq=False, kw_only=True)
class Stored:
    """One message in one queue.

    `place`: its place in the queue, which it keeps when it is requeued. `synced`: whether a crash leaves it. `gone`: it was acked,
    expired or purged. `returned`: how often it came back to the queue.
    """

    message: Message
    place: int
    expires_s: float | None = None
    synced: bool = False
    gone: bool = False
    delivered: bool = False
    redelivered: bool = False
    returned: int = 0


@dataclass(slots=True, eq=False, kw_only=True)
class Consumer:
    """Who reads a queue. `take` sends one message on its way; `prefetch` 0 = no limit."""

    tag: str
    prefetch: int
    take: Callable[["Consumer", "Queue", Stored], None]
    cancelled: Callable[["Consumer"], None]
    in_hand: int = 0

    @property
    def has_room(self) -> bool:
        """Whether it may have one more."""
        return not self.prefetch or self.in_hand < self.prefetch


@dataclass(slots=True, eq=False, kw_only=True)
class Queue:
    """Messages that wait, in order, and those in consumers' hands."""

    name: str
    durable: bool
    arguments: dict[str, Any]
    ready: list[Stored] = field(default_factory=list)
    in_hand: dict[Stored, None] = field(default_factory=dict)
    consumers: deque[Consumer] = field(default_factory=deque)
    _last: int = 0

    @property
    def quorum(self) -> bool:
        """Whether it is a quorum queue."""
        return self.arguments.get("x-queue-type") == "quorum"

    @property
    def is_full(self) -> bool:
        """Whether a length limit refuses more."""
        most = self.arguments.get("x-max-length")
        return most is not None and len(self.ready) >= most

    def put(self, message: Message, now_s: float) -> Stored:
        """A new message at the end. It reaches consumers at the next `dispatch`."""
        self._last += 1
        ttl_ms = self.arguments.get("x-message-ttl")
        expires_s = None if ttl_ms is None else now_s + ttl_ms / 1000
        stored = Stored(message=message, place=self._last, expires_s=expires_s)
        self.ready.append(stored)
        return stored

    def put_back(self, stored: Stored) -> None:
        """What was in a consumer's hands is ready again, at its old place."""
        del self.in_hand[stored]
        stored.redelivered = True
        stored.returned += 1
        insort(self.ready, stored, key=lambda s: s.place)

    def dispatch(self) -> None:
        """Hand out what is ready, to consumers in turn, as far as they have room."""
        while self.ready and (consumer := self._next()) is not None:
            stored = self.ready.pop(0)
            self.in_hand[stored] = None
            stored.delivered = True
            consumer.in_hand += 1
            consumer.take(consumer, self, stored)

    def expired(self, now_s: float) -> list[Stored]:
        """Take out those at the head whose time is over; later ones wait behind an earlier one, as in RabbitMQ."""
        found = []
        while self.ready and (due := self.ready[0].expires_s) is not None and due <= now_s:
            found.append(self.ready.pop(0))
        return found

    def _next(self) -> Consumer | None:
        for _ in range(len(self.consumers)):
            consumer = self.consumers[0]
            self.consumers.rotate(-1)
            if consumer.has_room:
                return consumer
        return None


def matches(pattern: str, key: str) -> bool:
    """Whether a topic binding takes a routing key: * is one word, # any number of them."""
    if "*" not in pattern and "#" not in pattern:
        return pattern == key
    return _match(pattern.split("."), key.split("."))


def _match(pattern: list[str], words: list[str]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_match(pattern[1:], words[n:]) for n in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _match(pattern[1:], words[1:])
