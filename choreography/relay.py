"""The outbox relay: rows that a transaction left behind become messages, at least once.

A row is marked only after the broker has confirmed it; a crash in between publishes it again.
"""

import asyncio
import json
from typing import Any

from choreography.broker import Broker, envelope
from shared_domain import messages
from shared_domain.database import Database, Transaction
from shared_domain.errors import Failure
from shared_domain.ports import Clock

MAX_IN_FLIGHT = 256
POLL_S = 0.25
"""How long an unpublished row can wait at most when no commit announces it."""
PAUSE_S = 0.05
"""Wait before a row is sent again after a failed publish."""


class Relay:
    """Publishes the outbox of one participant."""

    def __init__(self, *, database: Database, broker: Broker, clock: Clock) -> None:
        self._database, self._broker, self._clock = database, broker, clock
        self._in_flight: set[int] = set()

    async def run(self) -> None:
        """Publish until cancelled."""
        self._in_flight.clear()
        async with asyncio.TaskGroup() as sending:
            while True:
                room = MAX_IN_FLIGHT - len(self._in_flight)
                rows = await self._database.read(lambda tx: _unpublished(tx, MAX_IN_FLIGHT))
                for row in [r for r in rows if r["seq"] not in self._in_flight][:room]:
                    self._in_flight.add(row["seq"])
                    sending.create_task(self._send(row))
                await self._database.changed(within_s=POLL_S)

    async def _send(self, row: dict[str, Any]) -> None:
        try:
            await self._publish(row)
        except Failure:
            await self._clock.sleep(PAUSE_S)
        else:
            await self._database.write(
                lambda tx: tx.run("UPDATE outbox SET published = 1 WHERE seq = ?", row["seq"])
            )
        finally:
            self._in_flight.discard(row["seq"])

    async def _publish(self, row: dict[str, Any]) -> None:
        event = messages.from_json(json.loads(row["message"]))
        await self._broker.publish(envelope(event))


def unpublished(tx: Transaction) -> int:
    """How many events still wait in the outbox."""
    row = tx.one("SELECT count(*) AS n FROM outbox WHERE published = 0")
    return row["n"] if row else 0


def _unpublished(tx: Transaction, limit: int) -> list[dict[str, Any]]:
    return tx.all("SELECT seq, message FROM outbox WHERE published = 0 ORDER BY seq LIMIT ?", limit)
