"""The outbox relay: rows that a transaction left behind become messages, at least once.

Woken by commits: what a commit announces is published at once, without reading it back. Rows of an earlier life
are read when the relay starts. A row is marked only after the broker has confirmed it; a crash in between publishes
it again, with the same message_id.
"""

import asyncio
import contextlib
from functools import partial
from typing import Any

from choreography.broker import Broker
from choreography.cloud_events import envelope, publish
from kernel.environment import Environment
from kernel.errors import Failure
from kernel.outbox import Key, Unpublished
from kernel.participant import Participant

MAX_IN_FLIGHT = 256
"""Most events between their commit and the broker's confirm."""
PAUSE_S = 0.05
"""Wait before an event is sent again after a failed publish."""
MARK_S = 0.1
"""How long confirmed rows gather before one transaction marks them."""


class Relay:
    """Publishes the outbox of one participant."""

    def __init__(
        self, participant: Participant, *, broker: Broker, environment: Environment
    ) -> None:
        self._name, self._database, self._outbox = (
            participant.name,
            participant.database,
            participant.outbox,
        )
        self._broker, self._tracer, self._clock = broker, environment.tracer, environment.clock

    async def run(self) -> None:
        """Publish until cancelled."""
        committed: asyncio.Queue[Unpublished] = asyncio.Queue()
        confirmed, to_mark = list[Key](), asyncio.Event()
        seen: set[Key] = set()
        room = asyncio.Semaphore(MAX_IN_FLIGHT)

        def announced(facts: list[Any]) -> None:
            for fact in facts:
                committed.put_nowait(fact)

        async def send(row: Unpublished, *, mark_at_once: bool = False) -> None:
            try:
                await self._publish(row)
            finally:
                room.release()
            confirmed.append(row.seq)
            to_mark.set()
            if mark_at_once:
                await self._mark(confirmed)

        self._database.listen(announced)
        try:
            async with asyncio.TaskGroup() as work:
                work.create_task(self._keep_marking(confirmed, to_mark))
                for row in await self._database.read(self._outbox.left_behind):
                    seen.add(row.seq)
                    await room.acquire()
                    # LOOK: what this life dies of may be what it publishes here, and then the next life must not do so again.
                    work.create_task(send(row, mark_at_once=True))
                while True:
                    row = await committed.get()
                    if row.seq not in seen:
                        await room.acquire()
                        work.create_task(send(row))
        finally:
            self._database.listen(None)

    async def _publish(self, row: Unpublished) -> None:
        """Publish until the broker has it."""
        message = envelope(row.event, source=self._name, wall_s=row.wall_s)
        while True:
            try:
                await publish(self._broker, message, self._tracer, service=self._name)
            except Failure:
                await self._clock.sleep(PAUSE_S)
            else:
                return

    async def _keep_marking(self, confirmed: list[Key], to_mark: asyncio.Event) -> None:
        while True:
            await to_mark.wait()
            await self._clock.sleep(MARK_S)
            to_mark.clear()
            if confirmed:
                await self._mark(confirmed)
            if confirmed:
                to_mark.set()

    async def _mark(self, confirmed: list[Key]) -> None:
        with contextlib.suppress(Failure):
            await self._broker.audited()
            keys = list(confirmed)
            confirmed.clear()
            await self._database.write(partial(self._outbox.mark_published, keys=keys))
