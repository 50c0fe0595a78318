"""The journal of the embedded broker: one row per message and queue."""

from dataclasses import asdict, fields
from typing import Any

import orjson

from choreography.broker import Attempt, DeadLetter
from choreography.cloud_events import Envelope
from kernel.database import Transaction

AUDIT, DEAD = "audit", ".dead"
"""Name of the queue that keeps a copy of everything, and the ending of those that keep what nobody could handle."""
_HEADERS = tuple(field.name for field in fields(Envelope) if field.name != "body")
SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, queue TEXT NOT NULL, attempts TEXT NOT NULL DEFAULT '[]',
    due_wall_s REAL NOT NULL DEFAULT 0, redriven INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',
    headers TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_queue ON messages (queue);
"""


def rows_of(tx: Transaction, queue: str) -> list[dict[str, Any]]:
    """The rows of a queue, oldest first."""
    return tx.all("SELECT * FROM messages WHERE queue = ? ORDER BY id", queue)


def headers_text(message: Envelope) -> str:
    """All of an envelope but its body."""
    return orjson.dumps({name: getattr(message, name) for name in _HEADERS}).decode()


def attempts_text(attempts: tuple[Attempt, ...]) -> str:
    """Failed attempts, oldest first."""
    return orjson.dumps([asdict(attempt) for attempt in attempts]).decode()


def attempts_of(row: dict[str, Any]) -> tuple[Attempt, ...]:
    """The failed attempts of a row."""
    return tuple(Attempt(**attempt) for attempt in orjson.loads(row["attempts"]))


def envelope_of(row: dict[str, Any]) -> Envelope:
    """The message of a row."""
    return Envelope(body=row["body"], **orjson.loads(row["headers"]))


def reason_text(operation: str, reason: str) -> str:
    """Why a message was parked."""
    return orjson.dumps([operation, reason]).decode()


def letter_of(row: dict[str, Any], queue: str) -> DeadLetter:
    """The dead letter of a row, parked by the consumer of `queue`."""
    operation, reason = orjson.loads(row["reason"])
    return DeadLetter(
        envelope=envelope_of(row),
        queue=queue,
        operation=operation,
        reason=reason,
        attempts=attempts_of(row),
    )
