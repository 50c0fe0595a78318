"""Messages on the wire as CloudEvents 1.0 in JSON (structured mode): readable without this program.

The version is part of the type, so that a service meets one that it does not know before it reads any data.
Source of the attributes' names: cloudevents.io, specification 1.0, and its distributed tracing extension.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from kernel import messages
from kernel.errors import UnreadableMessage
from kernel.messages import MAX_BYTES, MAX_TEXT, VERSION, Codec, Event, Message
from kernel.ports import Tracer

CONTENT_TYPE = "application/cloudevents+json"
SPECVERSION = "1.0"
_PREFIX, _SUFFIX = "saga.", f".v{VERSION}"


class Publisher(Protocol):
    """What takes messages: see broker.Broker."""

    async def publish(self, message: "Envelope") -> None:
        """See Broker."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message as the broker sees it: headers it may show to an operator, and a body it does not read."""

    routing_key: str
    message_id: str
    order_id: str
    caused_by: str
    traceparent: str
    body: bytes


def envelope(message: Message, *, source: str, wall_s: float) -> Envelope:
    """The envelope of a message.

    `source`: the service that says it, or "customer". `wall_s`: when it became true, in seconds since the epoch;
    the same each time the message is published.
    """
    name, message_id, order_id = message.name, message.message_id, message.order.order_id
    document: dict[str, Any] = {
        "specversion": SPECVERSION,
        "id": message_id,
        "source": f"/saga/{source}",
        "type": f"saga.{name}.v{VERSION}",
        "time": datetime.fromtimestamp(wall_s, UTC).isoformat(),
        "subject": order_id,
        "datacontenttype": "application/json",
        "causedby": message.caused_by,
        "traceparent": message.traceparent,
        "data": {"order": messages.order_json(message.order)},
    }
    if isinstance(message, Event):
        document["data"]["reason"] = message.reason
    return Envelope(
        routing_key=name,
        message_id=message_id,
        order_id=order_id,
        caused_by=message.caused_by,
        traceparent=message.traceparent,
        body=orjson.dumps(document),
    )


async def publish(broker: Publisher, message: Envelope, tracer: Tracer, *, service: str) -> None:
    """Publish within a span of its own, which the header names as the delivery's parent; see Broker.publish.

    The body keeps the context in which the message became true, as the CloudEvents extension for tracing has it.
    """
    with tracer.span(
        f"publish {message.routing_key}",
        service=service,
        parent=message.traceparent,
        order_id=message.order_id,
        kind="producer",
        message_id=message.message_id,
    ) as traceparent:
        same = message.traceparent == traceparent
        await broker.publish(message if same else replace(message, traceparent=traceparent))


def read(body: bytes, codec: Codec) -> Message:
    """The message in a body. Raise UnreadableMessage if it is none of this version and saga; the effect is then definite: none."""
    if len(body) > MAX_BYTES:
        raise UnreadableMessage(f"{len(body)} bytes; the limit is {MAX_BYTES}")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableMessage(f"not JSON: {error}") from error
    try:
        if document["specversion"] != SPECVERSION:
            raise UnreadableMessage(f"CloudEvents {document['specversion']!r} is not {SPECVERSION}")
        kind = codec.kinds.get(document["type"].removeprefix(_PREFIX).removesuffix(_SUFFIX))
        if kind is None or document["type"] != f"{_PREFIX}{kind.__name__}{_SUFFIX}":
            raise UnreadableMessage(f"unknown type or version {document['type']!r}")
        data, caused_by = document["data"], document["causedby"]
        texts = {"caused_by": caused_by, "traceparent": document.get("traceparent", "")}
        if issubclass(kind, Event):
            texts["reason"] = data.get("reason", "")
        if not all(type(text) is str for text in texts.values()):
            raise UnreadableMessage("causedby, traceparent and reason must be texts")
        if max(len(texts["caused_by"]), len(texts["traceparent"])) > MAX_TEXT:
            raise UnreadableMessage(f"causedby and traceparent have at most {MAX_TEXT} characters")
        message = kind(order=codec.order_from_json(data["order"]), **texts)
        if (document["id"], document["subject"]) != (message.message_id, message.order_id):
            raise UnreadableMessage(
                f"id {document['id']!r} and subject {document['subject']!r} do not fit the data"
            )
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableMessage(f"not a CloudEvent of this saga: {error!r}") from error
    return message
