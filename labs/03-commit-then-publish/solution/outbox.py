"""The outbox: events that a participant has to publish. Every participant has it, in its own database."""

from kernel.database import Transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS to_publish (
    number INTEGER PRIMARY KEY, message_id TEXT NOT NULL, message TEXT NOT NULL);
"""


def put(tx: Transaction, message_id: str, message: str) -> None:
    """Keep a message."""
    tx.run("INSERT INTO to_publish (message_id, message) VALUES (?, ?)", message_id, message)


def waiting(tx: Transaction) -> list[str]:
    """The messages that are not known to be published, the oldest first."""
    return [row["message"] for row in tx.all("SELECT message FROM to_publish ORDER BY number")]


def published(tx: Transaction, message_id: str) -> None:
    """The broker has this message."""
    tx.run("DELETE FROM to_publish WHERE message_id = ?", message_id)
