"""The inbox: what makes a message that comes twice act once. Every participant has it, in its own database.

A participant handles each command in one transaction, which goes like this:

    answer = recall(tx, command)
    if answer is None:
        ... the effect: money is taken, stock is reserved ...
        remember(tx, command, answer)
    commit; the answer is sent

`tx.one(sql, *arguments)` gives the first row as a dictionary, or None. `tx.run(sql, *arguments)` changes rows.
"""

from kernel.database import Transaction
from kernel.messages import Command

SCHEMA = """
-- TODO: a table for what is remembered
"""


def recall(tx: Transaction, command: Command) -> str | None:
    """The answer that was given to this very command before; None if it is new."""
    # TODO: it is always new
    return None


def remember(tx: Transaction, command: Command, answer: str) -> None:
    """Keep the answer that is about to be sent. It is a text (JSON)."""
    # TODO: nothing is kept
