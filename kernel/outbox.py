"""The outbox: events to publish, written in the transaction that makes them true."""

from dataclasses import dataclass

from kernel import messages
from kernel.database import Transaction
from kernel.guards import Guards
from kernel.messages import Codec, Event
from kernel.ports import Clock

SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY, order_id TEXT NOT NULL, message TEXT NOT NULL,
    wall_s REAL NOT NULL, published INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS unpublished ON outbox (seq) WHERE published = 0;
"""


Key = int | str
"""What an outbox knows an event by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublished:
    """An event in the outbox, announced to the relay by the commit that put it there."""

    seq: Key
    event: Event
    wall_s: float
    pause_s: float = 0.0
    """How long it stays in memory before it is published."""


class Outbox:
    """The outbox of one participant; it stays empty if the guard is off."""

    def __init__(self, *, codec: Codec, guards: Guards, clock: Clock) -> None:
        self._codec, self._guards, self._clock = codec, guards, clock

    def enqueue(self, tx: Transaction, event: Event, text: str = "") -> None:
        """Put an event in: it is published after this transaction commits, at least once. `text`: the event as JSON."""
        if not self._guards.outbox:
            return
        wall_s = self._clock.wall_s()
        seq = tx.insert(
            "INSERT INTO outbox (order_id, message, wall_s) VALUES (?, ?, ?)",
            event.order_id,
            text or messages.to_bytes(event).decode(),
            wall_s,
        )
        tx.announce(Unpublished(seq=seq, event=event, wall_s=wall_s))

    def left_behind(self, tx: Transaction) -> list[Unpublished]:
        """What is not marked as published, oldest first."""
        rows = tx.all("SELECT seq, message, wall_s FROM outbox WHERE published = 0 ORDER BY seq")
        return [
            Unpublished(
                seq=row["seq"], event=self._codec.event(row["message"]), wall_s=row["wall_s"]
            )
            for row in rows
        ]

    def mark_published(self, tx: Transaction, keys: list[Key]) -> None:
        """The broker has confirmed these."""
        tx.run_many("UPDATE outbox SET published = 1 WHERE seq = ?", [(key,) for key in keys])

    def unpublished(self, tx: Transaction) -> int:
        """How many events still wait in the outbox."""
        row = tx.one("SELECT count(*) AS n FROM outbox WHERE published = 0")
        return row["n"] if row else 0
