"""The audit of a run on RabbitMQ: a copy of everything that was said, written in batches by whoever says it.

A queue bound to `#` would be simpler, and would make every message routable: nobody would notice an event that no service
hears.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import orjson

from choreography.cloud_events import Envelope
from kernel.errors import Failure

BATCH_TYPE = "application/json"
"""An array of envelopes, bodies as texts: what was said may be anything, and nobody may choke on it."""
BATCH_S = 0.1
"""How long messages gather at most before they are written."""
MOST_IN_BATCH = 256


class Audit:
    """What has been said and not yet written down."""

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        """`write` publishes one batch and returns at its confirm. Raises Failure."""
        self._write = write
        self._said: list[Envelope] = []
        self._writing = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None

    def tell(self, message: Envelope) -> None:
        """Something has been said."""
        self._said.append(message)
        if self._later is None:
            self._later = asyncio.create_task(self._soon())

    async def written(self) -> None:
        """Return once everything said so far is written down. Raise Failure; nothing is lost then."""
        async with self._writing:
            while self._said:
                batch = self._said[:MOST_IN_BATCH]
                rows = [asdict(m) | {"body": m.body.decode(errors="replace")} for m in batch]
                await self._write(orjson.dumps(rows))
                del self._said[: len(batch)]

    @staticmethod
    def read(batch: bytes) -> list[Envelope]:
        """What one batch tells."""
        return [Envelope(**row | {"body": row["body"].encode()}) for row in orjson.loads(batch)]

    async def close(self) -> None:
        """Forget what is not written."""
        if self._later is not None:
            self._later.cancel()
            await asyncio.wait([self._later])

    async def _soon(self) -> None:
        while True:
            await asyncio.sleep(BATCH_S)
            try:
                await self.written()
            except Failure:
                continue  # and again, until the broker is back
