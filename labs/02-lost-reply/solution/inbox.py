"""The inbox: what makes a message that comes twice act once. Every participant has it, in its own database."""

from kernel.database import Transaction
from kernel.messages import Command

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers_given (message_id TEXT PRIMARY KEY, answer TEXT NOT NULL);
"""


def recall(tx: Transaction, command: Command) -> str | None:
    """The answer that was given to this very command before; None if it is new."""
    row = tx.one("SELECT answer FROM answers_given WHERE message_id = ?", command.message_id)
    return row["answer"] if row else None


def remember(tx: Transaction, command: Command, answer: str) -> None:
    """Keep the answer that is about to be sent."""
    tx.run("INSERT INTO answers_given VALUES (?, ?)", command.message_id, answer)
