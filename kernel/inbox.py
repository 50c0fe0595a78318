"""The inbox and its tombstones: how a participant acts once on a message that may come often.

At-least-once delivery + a remembered answer = an effect exactly once. All rows change in the business transaction.
"""

from kernel import messages, parked
from kernel.database import Transaction
from kernel.guards import Guards
from kernel.ledger import Decision, Effect, Ledger
from kernel.messages import Codec, Command, Event
from kernel.outbox import Outbox

SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (message_id TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstones (order_id TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Inbox:
    """The answers that one participant has given, bound to its ledger and its outbox."""

    def __init__(self, *, codec: Codec, guards: Guards, ledger: Ledger, outbox: Outbox) -> None:
        self._codec, self._guards, self._ledger, self._outbox = codec, guards, ledger, outbox

    def recall(self, tx: Transaction, command: Command) -> Event | None:
        """The first answer to this message_id, or None if it is new. Adds no row.

        Raise StillParked if it was parked: a second chain must not wake what the first one left to an operator.
        """
        message_id = command.message_id
        row = tx.one(
            "SELECT (SELECT shown FROM parked WHERE message_id = ?) AS shown,"
            " (SELECT answer FROM inbox WHERE message_id = ?) AS answer",
            message_id,
            message_id,
        )
        assert row is not None
        if row["shown"] is not None:
            parked.check(tx, command)
        if row["answer"] is None or not self._guards.inbox:
            return None
        return self._codec.event(row["answer"])

    def tombstoned(self, tx: Transaction, order_id: str) -> bool:
        """Whether a compensation has already been here, so that a forward step comes too late."""
        return tx.one("SELECT 1 FROM tombstones WHERE order_id = ?", order_id) is not None

    def remember(self, tx: Transaction, command: Command, decision: Decision) -> Event:
        """Record the effect, the answer and the event to publish; the answer."""
        answer = messages.reply(decision.answer, command, decision.reason)
        text = messages.to_bytes(answer).decode()
        if decision.effect is Effect.TOMBSTONE and self._guards.tombstones:
            tx.run("INSERT OR IGNORE INTO tombstones VALUES (?)", command.order_id)
        self._ledger.enter(tx, command, decision)
        tx.run("INSERT OR IGNORE INTO inbox VALUES (?, ?)", command.message_id, text)
        self._outbox.enqueue(tx, answer, text)
        return answer

    def give_up(self, tx: Transaction, command: Command, answer: type[Event]) -> Event:
        """Answer `answer` from now on, unless the command was answered after all; the standing answer.

        In one transaction with the inbox, so that a late success and a give-up can never both go out.
        """
        decision = Decision(answer=answer, effect=Effect.GAVE_UP, reason="retry budget spent")
        return self.recall(tx, command) or self.remember(tx, command, decision)

    def answered(self, tx: Transaction, command: Command) -> bool:
        """Whether this message_id has been answered before."""
        sql = "SELECT 1 FROM inbox WHERE message_id = ?"
        return tx.one(sql, command.message_id) is not None
