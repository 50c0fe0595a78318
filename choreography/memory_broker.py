"""The embedded broker: same promises as RabbitMQ, in this process, with a journal for durability.

A message is confirmed when its journal row is committed; an ack deletes the row. `kill` forgets
everything that is not in the journal, `restart` reads it back.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from choreography.broker import PREFETCH, Attempt, DeadLetter, Delivery, Topology, Wanted
from choreography.cloud_events import Envelope
from choreography.memory_journal import (
    AUDIT,
    DEAD,
    attempts_of,
    attempts_text,
    envelope_of,
    headers_text,
    letter_of,
    reason_text,
    rows_of,
)
from kernel.database import Database, Transaction
from kernel.errors import NotDelivered, OutcomeUnknown
from kernel.ports import Clock

T = TypeVar("T")


@dataclass(slots=True)
class _Stored:
    row_id: int
    envelope: Envelope
    attempts: tuple[Attempt, ...] = ()
    redelivered: bool = False
    redriven: bool = False


@dataclass(slots=True, eq=False)
class _Subscription:
    in_hand: dict[int, _Stored] = field(default_factory=dict)


class _Delivery:
    """A delivery that is valid as long as its subscription and its broker's incarnation are."""

    def __init__(
        self, broker: "MemoryBroker", queue: str, stored: _Stored, owner: _Subscription
    ) -> None:
        self._broker, self._queue, self._stored, self._owner = broker, queue, stored, owner
        self.envelope, self.attempts = stored.envelope, stored.attempts
        self.redelivered, self.redriven = stored.redelivered, stored.redriven

    def _take_back(self) -> bool:
        return self._owner.in_hand.pop(self._stored.row_id, None) is not None

    async def ack(self) -> None:
        if self._take_back():
            await self._broker.forget(self._stored.row_id, queue=self._queue)

    async def requeue(self) -> None:
        if self._take_back():
            self._stored.redelivered = True
            self._broker.enqueue(self._queue, self._stored)

    async def retry(self, failed: Attempt) -> None:
        delay_s = self._broker.topology.retry_delays_s[failed.number - 1]
        due_wall_s = self._broker.clock.wall_s() + delay_s
        row_id, attempts = self._stored.row_id, (*self.attempts, failed)
        await self._broker.commit(
            lambda tx: tx.run(
                "UPDATE messages SET attempts = ?, due_wall_s = ?, redriven = 0 WHERE id = ?",
                attempts_text(attempts),
                due_wall_s,
                row_id,
            )
        )
        if self._take_back():
            stored = _Stored(row_id, self.envelope, attempts)
            self._broker.enqueue_later(self._queue, stored, delay_s)

    async def dead_letter(self, operation: str, reason: str, failed: Attempt) -> None:
        row_id, text = self._stored.row_id, reason_text(operation, reason)
        await self._broker.commit(
            lambda tx: tx.run(
                "UPDATE messages SET queue = ?, reason = ?, attempts = ? WHERE id = ?",
                self._queue + DEAD,
                text,
                attempts_text((*self.attempts, failed)),
                row_id,
            )
        )
        self._take_back()


class MemoryBroker:
    """The Broker port in one process. Open it with `async with MemoryBroker.open(...)`."""

    def __init__(
        self, database: Database, topology: Topology, clock: Clock, *, confirms: bool
    ) -> None:
        self.topology, self.clock = topology, clock
        self._database, self._confirms = database, confirms
        self._queues: dict[str, deque[_Stored]] = {queue: deque() for queue in topology.bindings}
        self._subscriptions: dict[str, list[_Subscription]] = {q: [] for q in topology.bindings}
        self._arrived = {queue: asyncio.Event() for queue in topology.bindings}
        self._tasks: set[asyncio.Task[None]] = set()
        self._alive = True

    @classmethod
    @asynccontextmanager
    async def open(
        cls, database: Database, topology: Topology, clock: Clock, *, confirms: bool = True
    ) -> AsyncIterator["MemoryBroker"]:
        """The broker over its journal, with what an earlier incarnation left in it.

        `confirms` False: `publish` returns at sending, before anything is durable.
        """
        broker = cls(database, topology, clock, confirms=confirms)
        database.listen(broker._take)
        await broker.restart()
        try:
            yield broker
        finally:
            database.listen(None)
            await broker.kill()

    async def publish(self, message: Envelope) -> None:
        """See Broker."""
        if self._confirms:
            await self._store(message)
        elif self._alive:
            self._in_background(self._store(message))

    async def _store(self, message: Envelope) -> None:
        text, body = headers_text(message), message.body
        queues = [q for q, keys in self.topology.bindings.items() if message.routing_key in keys]

        def store(tx: Transaction) -> None:
            for queue in [*queues, AUDIT]:
                sql = "INSERT INTO messages (queue, headers, body) VALUES (?, ?, ?)"
                row_id = tx.insert(sql, queue, text, body)
                if queue != AUDIT:
                    tx.announce((queue, _Stored(row_id, message)))

        await self.commit(store)

    def _take(self, committed: list[tuple[str, _Stored]]) -> None:
        """Deliver what has just become durable, even if its publisher is gone by now."""
        if self._alive:
            for queue, stored in committed:
                self.enqueue(queue, stored)

    def bind(self, queue: str, keys: tuple[str, ...]) -> None:
        """Let a queue get messages of these names, and of no others, from now on. It is made if it is new; what waits in it stays."""
        self.topology = replace(self.topology, bindings={**self.topology.bindings, queue: keys})
        self._queues.setdefault(queue, deque())
        self._subscriptions.setdefault(queue, [])
        self._arrived.setdefault(queue, asyncio.Event())

    async def audited(self) -> None:
        """See Broker: the journal has it with the message itself."""

    @asynccontextmanager
    async def subscribe(self, queue: str) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See Broker."""
        owner = _Subscription()
        self._subscriptions[queue].append(owner)
        deliveries = self._deliveries(queue, owner)
        try:
            yield deliveries
        finally:
            # Somebody who still waits for the next one ends it himself. (typeshed does not know that generators have this.)
            if not deliveries.ag_running:  # type: ignore[attr-defined]
                await deliveries.aclose()
            self._subscriptions[queue].remove(owner)
            for stored in reversed(owner.in_hand.values()):
                stored.redelivered = True
                self._queues[queue].appendleft(stored)
            owner.in_hand.clear()
            self._arrived[queue].set()

    async def dead_letters(self) -> list[DeadLetter]:
        """See Broker."""
        return [letter for _, letter in await self._letters()]

    async def redrive(self, wanted: Wanted) -> list[DeadLetter]:
        """See Broker."""
        chosen = [(row_id, letter) for row_id, letter in await self._letters() if wanted(letter)]
        sql = "UPDATE messages SET queue = ?, attempts = '[]', redriven = 1 WHERE id = ? AND queue = ?"
        # Another operator may have been quicker.
        moved = await self.commit(
            lambda tx: [
                (row_id, letter)
                for row_id, letter in chosen
                if tx.run(sql, letter.queue, row_id, letter.queue + DEAD)
            ]
        )
        for row_id, letter in moved:
            self.enqueue(letter.queue, _Stored(row_id, letter.envelope, redriven=True))
        return [letter for _, letter in moved]

    async def discard(self, wanted: Wanted) -> list[DeadLetter]:
        """See Broker."""
        chosen = [(row_id, letter) for row_id, letter in await self._letters() if wanted(letter)]
        sql = "DELETE FROM messages WHERE id = ? AND queue = ?"
        return await self.commit(
            lambda tx: [
                letter for row_id, letter in chosen if tx.run(sql, row_id, letter.queue + DEAD)
            ]
        )

    async def restore(self, letters: list[DeadLetter]) -> None:
        """See Broker."""
        rows = [
            (
                letter.queue + DEAD,
                attempts_text(letter.attempts),
                reason_text(letter.operation, letter.reason),
                headers_text(letter.envelope),
                letter.envelope.body,
            )
            for letter in letters
        ]
        sql = "INSERT INTO messages (queue, attempts, reason, headers, body) VALUES (?, ?, ?, ?, ?)"
        await self.commit(lambda tx: tx.run_many(sql, rows))

    async def waiting(self) -> int:
        """See Broker: the journal has them all."""
        self._check_alive()
        return sum(
            [
                len(await self._database.read(partial(rows_of, queue=queue)))
                for queue in self.topology.bindings
            ]
        )

    async def audit(self) -> list[Envelope]:
        """See Broker."""
        self._check_alive()
        return [
            envelope_of(row) for row in await self._database.read(lambda tx: rows_of(tx, AUDIT))
        ]

    async def aclose(self) -> None:
        """Nothing outlives the journal's file."""

    async def kill(self) -> None:
        """Forget everything but the journal; publishes fail from now on."""
        self._alive = False
        for task in self._tasks:
            task.cancel()
        for queue, waiting in self._queues.items():
            waiting.clear()
            for owner in self._subscriptions[queue]:
                owner.in_hand.clear()

    def freeze(self) -> None:
        """See Disturbance: nothing is confirmed or stored."""
        self._database.freeze()

    def thaw(self) -> None:
        """See Disturbance."""
        self._database.thaw()

    async def restart(self) -> None:
        """Serve again, from the journal."""
        now = self.clock.wall_s()
        for queue in self.topology.bindings:
            for row in await self._database.read(partial(rows_of, queue=queue)):
                stored = _Stored(
                    row["id"],
                    envelope_of(row),
                    attempts_of(row),
                    redelivered=False,  # RabbitMQ does not always remember it beyond its death either
                    redriven=bool(row["redriven"]),
                )
                self.enqueue_later(queue, stored, max(0.0, row["due_wall_s"] - now))
        self._alive = True

    async def commit(self, work: Callable[[Transaction], T]) -> T:
        """Write to the journal. Raise NotDelivered if the broker is down, OutcomeUnknown if it went down meanwhile."""
        self._check_alive()
        result = await self._database.write(work)
        if not self._alive:
            raise OutcomeUnknown("the broker went down before it confirmed")
        return result

    async def forget(self, row_id: int, *, queue: str) -> None:
        """Ack one message; a dead letter that it has become meanwhile stays."""
        if self._alive:
            sql = "DELETE FROM messages WHERE id = ? AND queue = ?"
            await self._database.write(lambda tx: tx.run(sql, row_id, queue))

    def enqueue(self, queue: str, stored: _Stored) -> None:
        """Make a stored message deliverable now."""
        self._queues[queue].append(stored)
        self._arrived[queue].set()

    def enqueue_later(self, queue: str, stored: _Stored, delay_s: float) -> None:
        """Make a stored message deliverable after `delay_s`."""
        if delay_s <= 0:
            self.enqueue(queue, stored)
            return

        async def wait() -> None:
            await self.clock.sleep(delay_s)
            self.enqueue(queue, stored)

        self._in_background(wait())

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliveries(self, queue: str, owner: _Subscription) -> AsyncGenerator[Delivery, None]:
        while True:
            waiting = self._queues[queue]
            prefetch = self.topology.prefetch.get(queue, PREFETCH)
            while waiting and len(owner.in_hand) < prefetch:
                stored = waiting.popleft()
                owner.in_hand[stored.row_id] = stored
                yield _Delivery(self, queue, stored, owner)
            if len(owner.in_hand) >= prefetch:
                await asyncio.sleep(0.001)
                continue
            self._arrived[queue].clear()
            await self._arrived[queue].wait()

    async def _letters(self) -> list[tuple[int, DeadLetter]]:
        self._check_alive()
        letters = []
        for queue in self.topology.bindings:
            rows = await self._database.read(partial(rows_of, queue=queue + DEAD))
            letters += [(row["id"], letter_of(row, queue)) for row in rows]
        return letters

    def _check_alive(self) -> None:
        if not self._alive:
            raise NotDelivered("the broker is down")
