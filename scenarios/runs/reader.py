"""Somebody who keeps asking how orders stand, and writes down what he is shown beside what is so."""

import asyncio
import random
from collections.abc import Sequence

from kernel.database import Transaction
from kernel.errors import Failure
from kernel.participants import Participants
from kernel.ports import Clock, SagaSystem
from scenarios.runs.customers import Customer

RECENT = 20
"""The last orders are those that still change."""


class Reader:
    """Reads the status of every order that it is pointed at, as the customer is shown it, and then as its service has it."""

    def __init__(
        self, system: SagaSystem, participants: Participants, customers: Sequence[Customer]
    ) -> None:
        self._system, self._customers = system, customers
        self._opener = participants.by_name[participants.saga.opener].database
        self._reads = {c.order.order_id: c.reads for c in customers}
        self._waiting: dict[str, None] = {}
        self._something = asyncio.Event()

    def look_at(self, order_id: str) -> None:
        """Read this order as soon as possible."""
        if order_id in self._reads:
            self._waiting[order_id] = None
            self._something.set()

    async def run(self) -> None:
        """Read until cancelled. A coordinator that does not answer shows nothing."""
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                order_id = next(iter(self._waiting))
                del self._waiting[order_id]
                await self._read(order_id)

    async def look_around(self, *, per_s: float, clock: Clock, seed: int) -> None:
        """Read one of the last orders so often, until cancelled."""
        chance = random.Random(seed)
        while True:
            await clock.sleep(1 / per_s)
            accepted = [c.order.order_id for c in self._customers if c.accepted_mono_s is not None]
            if accepted:
                await self._read(chance.choice(accepted[-RECENT:]))

    async def reload(self) -> None:
        """Read every order twice more: what is shown once everything is over stays so."""
        for order_id in [*self._reads, *self._reads]:
            await self._read(order_id)

    async def _read(self, order_id: str) -> None:
        try:
            shown = await self._system.outcome(order_id)
        except Failure:
            return
        # LOOK: in this order. What is final stays so, and then has been so when it was shown.
        seen = (shown, await self._opener.read(lambda tx: _status(tx, order_id)))
        reads = self._reads[order_id]
        if not reads or reads[-1] != seen:
            reads.append(seen)


def _status(tx: Transaction, order_id: str) -> str:
    """What stands in the row itself: who wrote the service may have read it wrongly."""
    row = tx.one("SELECT status FROM orders WHERE order_id = ?", order_id)
    return str(row["status"]) if row else "UNKNOWN"
