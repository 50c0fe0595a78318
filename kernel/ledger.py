"""The ledger: every effect that a participant applied, append-only. It is the ground truth of every judgement."""

from dataclasses import dataclass
from enum import StrEnum

from kernel.database import Transaction
from kernel.messages import Command, Event
from kernel.ports import Clock

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY, order_id TEXT NOT NULL, operation TEXT NOT NULL, effect TEXT NOT NULL,
    delta INTEGER NOT NULL, answer TEXT NOT NULL, message_id TEXT NOT NULL, caused_by TEXT NOT NULL,
    wall_s REAL NOT NULL, mono_s REAL NOT NULL);
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
class Decision:
    """What a participant's rule decides on a command. `delta` is the change it makes, in units or cents."""

    answer: type[Event]
    effect: Effect
    delta: int = 0
    reason: str = ""


class Ledger:
    """The ledger of one participant."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def enter(self, tx: Transaction, command: Command, decision: Decision) -> None:
        """Add the row of an effect, in its transaction."""
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
