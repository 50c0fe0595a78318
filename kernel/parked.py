"""Messages left to an operator, and how often a message came back: what must survive the participant's death."""

from kernel.database import Transaction
from kernel.errors import StillParked
from kernel.messages import Command

SCHEMA = """
CREATE TABLE IF NOT EXISTS parked (
    message_id TEXT PRIMARY KEY, caused_by TEXT NOT NULL, reason TEXT NOT NULL, shown INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS redeliveries (message_id TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
"""


def park(tx: Transaction, command: Command, reason: str) -> None:
    """Leave a message to an operator."""
    sql = "INSERT OR IGNORE INTO parked (message_id, caused_by, reason) VALUES (?, ?, ?)"
    tx.run(sql, command.message_id, command.caused_by, reason)


def mark_shown(tx: Transaction, command: Command) -> None:
    """The operator can see the parked message now."""
    tx.run("UPDATE parked SET shown = 1 WHERE message_id = ?", command.message_id)


def shown(tx: Transaction) -> list[str]:
    """The message ids of those that the operator could see."""
    rows = tx.all("SELECT message_id FROM parked WHERE shown = 1 ORDER BY message_id")
    return [row["message_id"] for row in rows]


def check(tx: Transaction, command: Command) -> None:
    """Raise StillParked if the message waits for an operator."""
    sql = "SELECT caused_by, reason, shown FROM parked WHERE message_id = ?"
    if row := tx.one(sql, command.message_id):
        raise StillParked(
            command.message_id,
            reason=row["reason"],
            shown=bool(row["shown"]),
            mine=row["caused_by"] == command.caused_by,
        )


def unpark(tx: Transaction, command: Command) -> None:
    """Take a message back from the operator, who has redriven it."""
    tx.run("DELETE FROM parked WHERE message_id = ?", command.message_id)
    tx.run("DELETE FROM redeliveries WHERE message_id = ?", command.message_id)


def redelivered(tx: Transaction, command: Command) -> int:
    """How often this message has been delivered again, this time included."""
    row = tx.one(
        "INSERT INTO redeliveries VALUES (?, 1)"
        " ON CONFLICT (message_id) DO UPDATE SET times = times + 1 RETURNING times",
        command.message_id,
    )
    return int(row["times"]) if row else 0
