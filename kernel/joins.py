"""What a service has heard of a reaction that waits for more than one message.

The service that waits remembers, in its own database: the half that came first is durable before its message is acked, so it
survives whatever kills the service or the broker. The last half finds the others, in the transaction in which it is added; if two
come at once, or one comes again, the command goes out twice with one message_id, and the inbox acts once.
"""

from kernel.database import Transaction
from kernel.messages import Message
from kernel.reactions import Reaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS halves (
    order_id TEXT NOT NULL, operation TEXT NOT NULL, heard TEXT NOT NULL,
    PRIMARY KEY (order_id, operation, heard)) WITHOUT ROWID;
"""


def join(tx: Transaction, message: Message, reaction: Reaction) -> str:
    """Remember that `message` was heard; the ids of all that the reaction waits for, once they have been heard, else "".

    In one order whoever came last, so that a command which goes out twice has the same causes.
    """
    order_id, operation = message.order_id, reaction.command.__name__
    tx.run("INSERT OR IGNORE INTO halves VALUES (?, ?, ?)", order_id, operation, message.name)
    rows = tx.all(
        "SELECT heard FROM halves WHERE order_id = ? AND operation = ?", order_id, operation
    )
    heard = sorted(row["heard"] for row in rows)
    if not reaction.complete(set(heard)):
        return ""
    return " ".join(f"{order_id}:{name}" for name in heard)
