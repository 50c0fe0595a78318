"""What a RabbitMQ message's properties and headers say about it, both ways."""

from typing import Any

import aiormq
from pamqp.common import FieldTable

from choreography.broker import Attempt, DeadLetter
from choreography.cloud_events import Envelope
from kernel.messages import MAX_TEXT

MAX_FAULT = 500
"""Longest text of a fault in a header; a header table has to fit into one frame."""


def envelope_of(message: aiormq.abc.DeliveredMessage) -> Envelope:
    """The envelope of a delivered message, whoever published it."""
    properties = message.header.properties
    headers = properties.headers or {}
    return Envelope(
        routing_key=properties.message_type or message.routing_key or "",
        message_id=properties.message_id or "",
        order_id=properties.correlation_id or "",
        # Whoever sent it may have sent more than fits beside what a dead letter adds.
        caused_by=str(headers.get("caused_by", ""))[:MAX_TEXT],
        traceparent=str(headers.get("traceparent", ""))[:MAX_TEXT],
        body=message.body,
    )


def told(*attempts: Attempt) -> Any:
    """Attempts as a header."""
    return [
        {"number": a.number, "fault": a.fault[:MAX_FAULT], "wall_s": repr(a.wall_s)}
        for a in attempts
    ]


def attempts_of(headers: dict[str, Any]) -> tuple[Attempt, ...]:
    """The attempts in a header; none if it is not one of ours."""
    try:
        return tuple(
            Attempt(number=int(a["number"]), fault=str(a["fault"]), wall_s=float(a["wall_s"]))
            for a in headers.get("x-attempts", ())
        )
    except (KeyError, TypeError, ValueError):
        return ()


def dead_letter_headers(letter: DeadLetter) -> FieldTable:
    """The headers that a dead letter is kept with."""
    return {
        "x-queue": letter.queue,
        "x-operation": letter.operation,
        "x-reason": letter.reason,
        "x-fault": letter.fault[:MAX_FAULT],
        "x-attempts": told(*letter.attempts),
    }


def dead_letter_of(message: aiormq.abc.DeliveredMessage, service: str) -> DeadLetter:
    """The dead letter in a queue of them, parked by a consumer or by the broker itself."""
    headers: dict[str, Any] = message.header.properties.headers or {}
    deaths = headers.get("x-death") or [{}]
    given_up = f"given up by the broker: {deaths[0].get('reason', 'unknown')}"
    return DeadLetter(
        envelope=envelope_of(message),
        queue=service,
        operation=str(headers.get("x-operation", "")),
        reason=str(headers.get("x-reason", given_up)),
        attempts=attempts_of(headers),
    )
