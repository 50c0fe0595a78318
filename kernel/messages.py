"""What every message has, whatever its saga: ids, causes, and JSON both ways.

A saga's own commands and events stand in its folder; a Codec knows them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, replace
from functools import cache
from typing import Any, Protocol, TypeVar

import orjson

from kernel.errors import NotDelivered, UnreadableMessage, UsageError

VERSION = 1
MAX_BYTES = 262_144
"""Payloads above this are refused on both sides (the limit of AWS Step Functions)."""
MAX_ORDER_ID = 80
"""Longest order_id: it names an execution (the limit of AWS Step Functions)."""
MAX_TEXT = 255
"""Longest text in an order unless its field is LONG, in characters, and of caused_by and traceparent: they travel in headers."""
MAX_ORDER_BYTES = 225_280
"""Largest order as JSON: every message with it, and the conductor's state, stay below MAX_BYTES."""
LONG = {"long": True}
"""Metadata of an order's field whose text may be longer than MAX_TEXT."""
_TOO_LARGE = 2**63  # what a database column holds


class Order(Protocol):
    """What a customer asks a saga for: a frozen dataclass of texts, numbers and flags.

    `order_id` is chosen by the client and names the saga.
    """

    @property
    def order_id(self) -> str:
        """See above."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A command or an event about one order.

    `message_id` is the same on every retry, redelivery and restart: it is the idempotency key.
    `caused_by` is the message_id that led to this message, or several with spaces between them where a service waited for all; `traceparent` is W3C trace context.
    """

    order: Any
    caused_by: str
    traceparent: str = ""

    @property
    def order_id(self) -> str:
        """The saga this message belongs to."""
        return str(self.order.order_id)

    @property
    def name(self) -> str:
        """The business name, also the routing key."""
        return type(self).__name__

    @property
    def message_id(self) -> str:
        """`order_id:name`."""
        return f"{self.order.order_id}:{self.name}"


class Command(Message):
    """A request to one participant; its name is the operation."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Message):
    """A fact that a participant has made durable. `reason` says why, for refusals and failures."""

    reason: str = ""


class Codec:
    """The messages of one saga as JSON, both ways."""

    def __init__(self, order: type[Any], kinds: Iterable[type[Message]]) -> None:
        """`order`: the dataclass of what is asked for. Raise UsageError if a field is no text, number or flag."""
        self.kinds: Mapping[str, type[Message]] = {kind.__name__: kind for kind in kinds}
        self._order = order
        self._fields = tuple((f.name, f.type, f.default, _longest(f)) for f in fields(order))
        for name, kind, _, _ in self._fields:
            if kind not in (str, int, float, bool):
                raise UsageError(f"{order.__name__}.{name} must be a str, int, float or bool")

    def from_json(self, document: Any) -> Message:
        """The message that a JSON object describes.

        Raise UnreadableMessage if it is no message of this version and saga; the effect is then definite: none.
        """
        try:
            kind = self.kinds[document["name"]]
            if document["version"] != VERSION:
                raise UnreadableMessage(f"version {document['version']!r} is not {VERSION}")
            reason = {"reason": document.get("reason", "")} if issubclass(kind, Event) else {}
            texts = (document["caused_by"], document.get("traceparent", ""), *reason.values())
            if not all(isinstance(text, str) for text in texts):
                raise UnreadableMessage("caused_by, traceparent and reason must be texts")
            if max(map(len, texts[:2])) > MAX_TEXT:
                raise UnreadableMessage(
                    f"caused_by and traceparent have at most {MAX_TEXT} characters"
                )
            return kind(
                order=self.order_from_json(document["order"]),
                caused_by=document["caused_by"],
                traceparent=document.get("traceparent", ""),
                **reason,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise UnreadableMessage(f"not a message: {error!r}") from error

    def order_from_json(self, document: Any) -> Any:
        """The order that a JSON object describes. Raise UnreadableMessage if it describes none."""
        try:
            if missing := [
                n for n, _, default, _ in self._fields if default is MISSING and n not in document
            ]:
                raise UnreadableMessage(f"not an order: it lacks {', '.join(missing)}")
            wrong = [
                name
                for name, kind, default, longest in self._fields
                if not _fits(document.get(name, default), kind, longest)
            ]
            if wrong:
                raise UnreadableMessage(
                    f"order fields of the wrong type or size: {', '.join(wrong)}"
                )
            return self._order(**document)
        except (KeyError, TypeError, AttributeError) as error:
            raise UnreadableMessage(f"not an order: {error!r}") from error

    def check_order(self, order: Order) -> None:
        """Raise NotDelivered if no participant could read the order: ask for one that can be read."""
        try:
            self.order_from_json(document := order_json(order))
        except UnreadableMessage as error:
            raise NotDelivered(f"this order cannot be placed: {error}") from error
        if len(orjson.dumps(document)) > MAX_ORDER_BYTES:
            raise NotDelivered(
                f"this order cannot be placed: it has more than {MAX_ORDER_BYTES} bytes"
            )

    def from_bytes(self, body: bytes | str) -> Message:
        """The reverse of `to_bytes`. Raise UnreadableMessage for anything else, oversized included."""
        if len(body) > MAX_BYTES:
            raise UnreadableMessage(f"{len(body)} bytes; the limit is {MAX_BYTES}")
        try:
            return self.from_json(orjson.loads(body))
        except orjson.JSONDecodeError as error:
            raise UnreadableMessage(f"not JSON: {error}") from error

    def event(self, text: str) -> Event:
        """The event in a row of an inbox or outbox."""
        found = self.from_json(orjson.loads(text))
        assert isinstance(found, Event)
        return found


def _longest(field: Field[Any]) -> int:
    if field.name == "order_id":
        return MAX_ORDER_ID
    return MAX_ORDER_BYTES if field.metadata.get("long") else MAX_TEXT


def _fits(value: Any, kind: Any, longest: int) -> bool:
    """Whether a field's value has its type and a size that every participant can keep."""
    if type(value) is not kind:
        return False
    if kind is str:
        return len(value) <= longest
    return kind is not int or abs(value) < _TOO_LARGE


@cache
def _names(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in fields(kind))


def order_json(order: Order) -> dict[str, Any]:
    """The order as a JSON object, without what is as its default."""
    values = ((name, getattr(order, name), default) for name, default in _names(type(order)))
    return {name: value for name, value, default in values if value != default}


def to_json(message: Message) -> dict[str, Any]:
    """The message as a JSON object: the same shape on RabbitMQ and in Step Functions."""
    document = {
        "version": VERSION,
        "name": message.name,
        "message_id": message.message_id,
        "caused_by": message.caused_by,
        "traceparent": message.traceparent,
        "order": order_json(message.order),
    }
    if isinstance(message, Event):
        document["reason"] = message.reason
    return document


M = TypeVar("M", bound=Message)


def traced(message: M, traceparent: str) -> M:
    """The message, in this trace."""
    same = message.traceparent == traceparent
    return message if same else replace(message, traceparent=traceparent)


def to_bytes(message: Message) -> bytes:
    """The message as UTF-8 JSON text."""
    return orjson.dumps(to_json(message))


def reply(kind: type[Event], to: Message, reason: str = "") -> Event:
    """The event of this kind that answers `to`."""
    return kind(order=to.order, caused_by=to.message_id, traceparent=to.traceparent, reason=reason)


def follow(kind: type[Command], cause: Message) -> Command:
    """The command of this kind that `cause` leads to."""
    return kind(order=cause.order, caused_by=cause.message_id, traceparent=cause.traceparent)
