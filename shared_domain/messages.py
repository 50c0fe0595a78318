"""Every command and event of the order saga, their ids, and JSON both ways.

A message carries the whole order, so that no participant has to ask another one for it.
"""

from dataclasses import dataclass, fields
from typing import Any

import orjson

from shared_domain.errors import NotDelivered, UnreadableMessage

VERSION = 1
MAX_BYTES = 262_144
"""Payloads above this are refused on both sides (the limit of AWS Step Functions)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the customer wants. `order_id` is chosen by the client and names the saga."""

    order_id: str
    customer: str
    item: str
    quantity: int
    amount_cents: int
    destination: str
    note: str = ""
    """What the customer encloses: the only text that may be long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A command or an event about one order.

    `message_id` is the same on every retry, redelivery and restart: it is the idempotency key.
    `caused_by` is the message_id that led to this message; `traceparent` is W3C trace context.
    """

    order: Order
    caused_by: str
    traceparent: str = ""

    @property
    def order_id(self) -> str:
        """The saga this message belongs to."""
        return self.order.order_id

    @property
    def name(self) -> str:
        """The business name, also the routing key: `ChargePayment`, `PaymentCharged`."""
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


class PlaceOrder(Command):
    """Open the order as PENDING: the semantic lock."""


class ReserveStock(Command):
    """Hold the item for this order."""


class ChargePayment(Command):
    """Take the customer's money."""


class BookShipment(Command):
    """Book the parcel: the pivot, after which the saga only goes forward."""


class ConfirmOrder(Command):
    """Lift the semantic lock."""


class CancelShipment(Command):
    """Make sure that nothing is booked, or learn that it already is."""


class RefundPayment(Command):
    """Undo ChargePayment."""


class ReleaseStock(Command):
    """Undo ReserveStock."""


class CancelOrder(Command):
    """Undo PlaceOrder."""


class OrderPlaced(Event):
    """The order is PENDING."""


class OrderRejected(Event):
    """Refused: nothing was opened."""


class StockReserved(Event):
    """The item is held."""


class StockRefused(Event):
    """Refused: out of stock."""


class StockReservationFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class PaymentCharged(Event):
    """The money is taken."""


class PaymentDeclined(Event):
    """Refused: the card was declined."""


class PaymentFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class ShipmentBooked(Event):
    """The parcel is booked: from here only forward."""


class ShipmentRefused(Event):
    """Refused: undeliverable."""


class ShipmentBookingFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class OrderConfirmed(Event):
    """The saga ended well."""


class OrderExpired(Event):
    """The saga deadline passed while the order was PENDING."""


class ShipmentCancelled(Event):
    """Nothing is booked, and nothing will be."""


class ShipmentAlreadyBooked(Event):
    """Too late to cancel: go forward."""


class PaymentRefunded(Event):
    """The money is back, or was never taken and never will be."""


class StockReleased(Event):
    """The item is free again, or was never held and never will be."""


class OrderCancelled(Event):
    """The saga ended by compensation."""


COMMANDS: dict[str, type[Command]] = {c.__name__: c for c in Command.__subclasses__()}
EVENTS: dict[str, type[Event]] = {e.__name__: e for e in Event.__subclasses__()}
KINDS: dict[str, type[Message]] = {**COMMANDS, **EVENTS}
COMPENSATIONS = frozenset({CancelShipment, RefundPayment, ReleaseStock, CancelOrder})
_ORDER_FIELDS = {field.name: field.type for field in fields(Order) if field.name != "note"}
_TOO_LARGE = 2**63  # what a database column holds
MAX_ORDER_ID = 80
"""Longest order_id: it names an execution (the limit of AWS Step Functions)."""
MAX_TEXT = 255
"""Longest text in an order but its note, in characters, and of caused_by and traceparent: they travel in headers."""
MAX_ORDER_BYTES = 225_280
"""Largest order as JSON: every message with it, and the conductor's state, stay below MAX_BYTES."""


def order_json(order: Order) -> dict[str, Any]:
    """The order as a JSON object, without a note that is empty."""
    document = {name: getattr(order, name) for name in _ORDER_FIELDS}
    return document | {"note": order.note} if order.note else document


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


def from_json(document: Any) -> Message:
    """The message that a JSON object describes.

    Raise UnreadableMessage if it is no message of this version; the effect is then definite: none.
    """
    try:
        kind = KINDS[document["name"]]
        if document["version"] != VERSION:
            raise UnreadableMessage(f"version {document['version']!r} is not {VERSION}")
        reason = {"reason": document.get("reason", "")} if issubclass(kind, Event) else {}
        texts = (document["caused_by"], document.get("traceparent", ""), *reason.values())
        if not all(isinstance(text, str) for text in texts):
            raise UnreadableMessage("caused_by, traceparent and reason must be texts")
        if max(map(len, texts[:2])) > MAX_TEXT:
            raise UnreadableMessage(f"caused_by and traceparent have at most {MAX_TEXT} characters")
        return kind(
            order=order_from_json(document["order"]),
            caused_by=document["caused_by"],
            traceparent=document.get("traceparent", ""),
            **reason,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableMessage(f"not a message: {error!r}") from error


def order_from_json(document: Any) -> Order:
    """The order that a JSON object describes. Raise UnreadableMessage if it describes none."""
    try:
        wrong = [k for k, t in _ORDER_FIELDS.items() if type(document[k]) is not t]
        wrong += [k for k, v in document.items() if type(v) is int and abs(v) >= _TOO_LARGE]
        limits = {"order_id": MAX_ORDER_ID, "note": MAX_ORDER_BYTES}
        wrong += [
            k for k, v in document.items() if type(v) is str and len(v) > limits.get(k, MAX_TEXT)
        ]
        wrong += ["note"] * (type(document.get("note", "")) is not str)
        if wrong:
            raise UnreadableMessage(f"order fields of the wrong type or size: {', '.join(wrong)}")
        return Order(**document)
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableMessage(f"not an order: {error!r}") from error


def check_order(order: Order) -> None:
    """Raise NotDelivered if no participant could read the order: ask for one that can be read."""
    try:
        order_from_json(document := order_json(order))
    except UnreadableMessage as error:
        raise NotDelivered(f"this order cannot be placed: {error}") from error
    if len(orjson.dumps(document)) > MAX_ORDER_BYTES:
        raise NotDelivered(f"this order cannot be placed: it has more than {MAX_ORDER_BYTES} bytes")


def to_bytes(message: Message) -> bytes:
    """The message as UTF-8 JSON text."""
    return orjson.dumps(to_json(message))


def from_bytes(body: bytes) -> Message:
    """The reverse of `to_bytes`. Raise UnreadableMessage for anything else, oversized included."""
    if len(body) > MAX_BYTES:
        raise UnreadableMessage(f"{len(body)} bytes; the limit is {MAX_BYTES}")
    try:
        return from_json(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise UnreadableMessage(f"not JSON: {error}") from error


def reply(kind: type[Event], to: Message, reason: str = "") -> Event:
    """The event of this kind that answers `to`."""
    return kind(order=to.order, caused_by=to.message_id, traceparent=to.traceparent, reason=reason)


def follow(kind: type[Command], cause: Message) -> Command:
    """The command of this kind that `cause` leads to."""
    return kind(order=cause.order, caused_by=cause.message_id, traceparent=cause.traceparent)
