"""Ledger, inbox, outbox and tombstones: how a participant acts once on a message that may come often.

At-least-once delivery + a remembered answer = an effect exactly once. All rows change in the business transaction.
"""

from dataclasses import dataclass
from enum import StrEnum

import orjson

from shared_domain import messages
from shared_domain.database import Transaction
from shared_domain.errors import StillParked
from shared_domain.guards import Guards
from shared_domain.messages import Command, Event
from shared_domain.ports import Clock

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY, order_id TEXT NOT NULL, operation TEXT NOT NULL, effect TEXT NOT NULL,
    delta INTEGER NOT NULL, answer TEXT NOT NULL, message_id TEXT NOT NULL, caused_by TEXT NOT NULL,
    wall_s REAL NOT NULL, mono_s REAL NOT NULL);
CREATE TABLE IF NOT EXISTS inbox (message_id TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY, order_id TEXT NOT NULL, message TEXT NOT NULL,
    wall_s REAL NOT NULL, published INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS unpublished ON outbox (seq) WHERE published = 0;
CREATE TABLE IF NOT EXISTS parked (
    message_id TEXT PRIMARY KEY, caused_by TEXT NOT NULL, reason TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS redeliveries (message_id TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstones (order_id TEXT PRIMARY KEY, operation TEXT NOT NULL) WITHOUT ROWID;
"""


class Effect(StrEnum):
    """What a message did to its participant, as the ledger records it."""

    DONE = "done"
    REFUSED = "refused"
    UNDONE = "undone"
    TOMBSTONE = "tombstone"
    """A compensation that found nothing to undo, and forbids the forward step from now on."""
    KEPT = "kept"
    """A cancellation that came after the pivot, and left the effect alone."""
    GAVE_UP = "gave up"
    """The retry budget was spent before any effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublished:
    """An event in the outbox, announced to the relay by the commit that put it there."""

    seq: int
    event: Event
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a model decides on a command. `delta` is the change it makes, in units or cents."""

    answer: type[Event]
    effect: Effect
    delta: int = 0
    reason: str = ""


class ExactlyOnce:
    """The rules of one run, bound to its guards and its clock."""

    def __init__(self, *, guards: Guards, clock: Clock) -> None:
        self._guards, self._clock = guards, clock

    def recall(self, tx: Transaction, command: Command) -> Event | None:
        """The first answer to this message_id, or None if it is new. Adds no row.

        Raise StillParked if it was parked: a second chain must not wake what the first one left to an operator.
        """
        message_id = command.message_id
        row = tx.one(
            "SELECT (SELECT told FROM parked WHERE message_id = ?) AS told,"
            " (SELECT answer FROM inbox WHERE message_id = ?) AS answer",
            message_id,
            message_id,
        )
        assert row is not None
        if row["told"] is not None:
            self.check_parked(tx, command)
        if row["answer"] is None or not self._guards.inbox:
            return None
        answer = messages.from_json(orjson.loads(row["answer"]))
        assert isinstance(answer, Event)
        return answer

    def tombstoned(self, tx: Transaction, order_id: str) -> bool:
        """Whether a compensation has already been here, so that a forward step comes too late."""
        return tx.one("SELECT 1 FROM tombstones WHERE order_id = ?", order_id) is not None

    def remember(self, tx: Transaction, command: Command, decision: Decision) -> Event:
        """Record the effect, the answer and the event to publish; the answer."""
        answer = messages.reply(decision.answer, command, decision.reason)
        text = messages.to_bytes(answer).decode()
        if decision.effect is Effect.TOMBSTONE and self._guards.tombstones:
            tx.run("INSERT OR IGNORE INTO tombstones VALUES (?, ?)", command.order_id, command.name)
        if decision.effect is not Effect.TOMBSTONE or self._guards.tombstones:
            self._enter(tx, command, decision)
        tx.run("INSERT OR IGNORE INTO inbox VALUES (?, ?)", command.message_id, text)
        self._enqueue(tx, answer, text)
        return answer

    def give_up(self, tx: Transaction, command: Command, answer: type[Event]) -> Event:
        """Answer `answer` from now on, unless the command was answered after all; the standing answer.

        In one transaction with the inbox, so that a late success and a give-up can never both go out.
        """
        decision = Decision(answer=answer, effect=Effect.GAVE_UP, reason="retry budget spent")
        return self.recall(tx, command) or self.remember(tx, command, decision)

    def enqueue(self, tx: Transaction, event: Event) -> None:
        """Put an event into the outbox: it is published after this transaction commits, at least once."""
        self._enqueue(tx, event, messages.to_bytes(event).decode())

    def answered(self, tx: Transaction, command: Command) -> bool:
        """Whether this message_id has been answered before."""
        sql = "SELECT 1 FROM inbox WHERE message_id = ?"
        return tx.one(sql, command.message_id) is not None

    def park(self, tx: Transaction, command: Command, reason: str) -> None:
        """Leave a message to an operator."""
        sql = "INSERT OR IGNORE INTO parked (message_id, caused_by, reason) VALUES (?, ?, ?)"
        tx.run(sql, command.message_id, command.caused_by, reason)

    def told(self, tx: Transaction, command: Command) -> None:
        """The operator can see the parked message now."""
        tx.run("UPDATE parked SET told = 1 WHERE message_id = ?", command.message_id)

    def check_parked(self, tx: Transaction, command: Command) -> None:
        """Raise StillParked if the message waits for an operator."""
        sql = "SELECT caused_by, reason, told FROM parked WHERE message_id = ?"
        if row := tx.one(sql, command.message_id):
            raise StillParked(
                command.message_id,
                reason=row["reason"],
                told=bool(row["told"]),
                mine=row["caused_by"] == command.caused_by,
            )

    def unpark(self, tx: Transaction, command: Command) -> None:
        """Take a message back from the operator, who has redriven it."""
        tx.run("DELETE FROM parked WHERE message_id = ?", command.message_id)
        tx.run("DELETE FROM redeliveries WHERE message_id = ?", command.message_id)

    def redelivered(self, tx: Transaction, command: Command) -> int:
        """How often this message has been delivered again, this time included. Survives the participant's death."""
        row = tx.one(
            "INSERT INTO redeliveries VALUES (?, 1)"
            " ON CONFLICT (message_id) DO UPDATE SET times = times + 1 RETURNING times",
            command.message_id,
        )
        return int(row["times"]) if row else 0

    def _enqueue(self, tx: Transaction, event: Event, text: str) -> None:
        if self._guards.outbox:
            wall_s = self._clock.wall_s()
            row = tx.one(
                "INSERT INTO outbox (order_id, message, wall_s) VALUES (?, ?, ?) RETURNING seq",
                event.order_id,
                text,
                wall_s,
            )
            if row is not None:
                tx.announce(Unpublished(seq=row["seq"], event=event, wall_s=wall_s))

    def _enter(self, tx: Transaction, command: Command, decision: Decision) -> None:
        tx.run(
            "INSERT INTO ledger (order_id, operation, effect, delta, answer, message_id, caused_by,"
            " wall_s, mono_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            command.order_id,
            command.name,
            decision.effect,
            decision.delta,
            decision.answer.__name__,
            command.message_id,
            command.caused_by,
            self._clock.wall_s(),
            self._clock.mono_s(),
        )
