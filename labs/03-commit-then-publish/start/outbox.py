"""The outbox: events that a participant has to publish. Every participant has it, in its own database.

A participant handles a command in one transaction, and an event tells the others. It goes like this:

    ... the effect: money is taken, stock is reserved ...
    put(tx, message_id, message)
    commit
    the message is published once, from memory
    published(tx, message_id)                           in a transaction of its own, once the broker has confirmed it

When the process starts, also after it was killed, it asks waiting(tx) for what the last life has left behind, publishes that, and
calls published for each. `tx.run(sql, *arguments)` changes rows, `tx.all(sql, *arguments)` gives a list of dictionaries.
"""

from kernel.database import Transaction

SCHEMA = """
-- TODO: a table for what has to be published
"""


def put(tx: Transaction, message_id: str, message: str) -> None:
    """Keep a message. `message` is a text (JSON) that names the event, the order and the cause."""
    # TODO: nothing is kept


def waiting(tx: Transaction) -> list[str]:
    """The messages that are not known to be published, the oldest first."""
    # TODO: nothing is left behind
    return []


def published(tx: Transaction, message_id: str) -> None:
    """The broker has this message."""
    # TODO: not yet of interest
