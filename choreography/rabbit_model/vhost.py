"""What a modelled node keeps: exchanges, queues, and which of their messages a crash leaves.

A publish is confirmed once it is synced, after a while that is drawn; until then a crash may lose it, or may not. An ack is
synced like that too: until then a crash may bring its message back. Nobody knows after a crash what had been delivered.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from choreography.rabbit_model.frames import is_persistent, with_death
from choreography.rabbit_model.queues import Message, Queue, Stored, matches

SLOWEST_SYNC_S = 0.2
"""Longest time from a publish to its being durable, mostly far less. The real node syncs when it is idle, and every 200 ms."""
LEFT_ASIDE = 0.2
"""How often one message of several waits for the next sync."""
DELIVERY_LIMIT = "x-delivery-limit"


class Refused(Exception):
    """A channel error: its AMQP reply code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(slots=True, eq=False, kw_only=True)
class _Exchange:
    kind: str
    bindings: dict[tuple[str, str], None] = field(default_factory=dict)
    """(routing key, queue)"""


@dataclass(slots=True, eq=False, kw_only=True)
class _Unsynced:
    """What becomes durable together: copies of a message, and the one that it was before it expired."""

    copies: list[Stored]
    before: tuple[Queue, Stored] | None = None
    confirm: Callable[[], None] | None = None


class Vhost:
    """The exchanges and queues of a node, across its crashes. `chance` None: all is durable at once, and a crash loses nothing."""

    def __init__(self, chance: random.Random | None) -> None:
        self._chance = chance
        self.queues: dict[str, Queue] = {}
        self._exchanges: dict[str, _Exchange] = {}
        self._unsynced: list[_Unsynced] = []
        self._acked: list[tuple[Queue, Stored]] = []
        self._syncing: asyncio.TimerHandle | None = None
        self._expiring: dict[str, asyncio.TimerHandle] = {}
        self.confirmed: Callable[[], None] = lambda: None
        """Called after every sync: whoever has confirms to send sends them together."""

    def in_hand(self) -> int:
        """How many messages are in consumers' hands. A real node says that only to its operator."""
        return sum(len(queue.in_hand) for queue in self.queues.values())

    # -- topology

    def declare_exchange(self, name: str, kind: str, *, passive: bool) -> None:
        """Make an exchange if it is not there. Raise Refused."""
        known = self._exchanges.get(name)
        if known is None:
            if passive:
                raise Refused(404, f"NOT_FOUND - no exchange '{name}' in vhost '/'")
            self._exchanges[name] = _Exchange(kind=kind)
        elif not passive and known.kind != kind:
            raise Refused(
                406, f"PRECONDITION_FAILED - inequivalent arg 'type' for exchange '{name}'"
            )

    def delete_exchange(self, name: str) -> None:
        """Remove it, if it is there."""
        self._exchanges.pop(name, None)

    def declare_queue(
        self, name: str, *, durable: bool, passive: bool, arguments: dict[str, Any]
    ) -> Queue:
        """The queue, made if it is not there. Raise Refused."""
        queue = self.queues.get(name)
        if queue is None:
            if passive:
                raise Refused(404, f"NOT_FOUND - no queue '{name}' in vhost '/'")
            queue = self.queues[name] = Queue(name=name, durable=durable, arguments=arguments)
        elif not passive and (queue.durable, queue.arguments) != (durable, arguments):
            raise Refused(406, f"PRECONDITION_FAILED - inequivalent arg for queue '{name}'")
        return queue

    def queue(self, name: str) -> Queue:
        """The queue of this name. Raise Refused."""
        return self.declare_queue(name, durable=False, passive=True, arguments={})

    def delete_queue(self, name: str) -> int:
        """Remove a queue, and cancel its consumers; how many messages it had."""
        queue = self.queues.pop(name, None)
        if queue is None:
            return 0
        for exchange in self._exchanges.values():
            for binding in [b for b in exchange.bindings if b[1] == name]:
                del exchange.bindings[binding]
        for consumer in queue.consumers:
            consumer.cancelled(consumer)
        for stored in (*queue.ready, *queue.in_hand):
            stored.gone = True
        return len(queue.ready)

    def purge(self, name: str) -> int:
        """Drop what is ready in a queue; how many messages that was. Raise Refused."""
        queue = self.queue(name)
        dropped, queue.ready = queue.ready, []
        for stored in dropped:
            stored.gone = True
        return len(dropped)

    def bind(self, queue: str, exchange: str, key: str) -> None:
        """Let an exchange send what has that key to a queue. Raise Refused."""
        self.queue(queue)
        self.declare_exchange(exchange, "", passive=True)
        self._exchanges[exchange].bindings[key, queue] = None

    def unbind(self, queue: str, exchange: str, key: str) -> None:
        """No longer."""
        self._exchanges[exchange].bindings.pop((key, queue), None)

    # -- messages

    def publish(self, message: Message, confirm: Callable[[], None] | None) -> tuple[bool, bool]:
        """(whether a queue takes it, whether one refuses it). `confirm` is called once it is durable. Raise Refused."""
        targets = self._routed(message)
        taking = [
            q for q in targets if not q.is_full or q.arguments.get("x-overflow") != "reject-publish"
        ]
        copies = [self._put(queue, message) for queue in taking]
        if len(taking) < len(targets):
            confirm = None
        if copies and (confirm is not None or is_persistent(message.header)):
            self._later(_Unsynced(copies=copies, confirm=confirm))
        for queue in taking:
            queue.dispatch()
        return bool(targets), len(taking) < len(targets)

    def ack(self, queue: Queue, stored: Stored) -> None:
        """A message is done with."""
        del queue.in_hand[stored]
        stored.gone = True
        if self._chance is not None:
            self._acked.append((queue, stored))
            self._sync_soon()

    def reject(self, queue: Queue, stored: Stored, *, requeue: bool) -> None:
        """A message comes back, or dies."""
        limit = queue.arguments.get(DELIVERY_LIMIT)
        if requeue and queue.quorum and limit is not None and stored.returned >= limit:
            del queue.in_hand[stored]
            self._dead_letter(queue, stored, "delivery_limit")
        elif requeue:
            queue.put_back(stored)
            self._expire_later(queue)
        else:
            del queue.in_hand[stored]
            self._dead_letter(queue, stored, "rejected")

    def crash(self) -> None:
        """Forget what a kill -9 forgets: consumers, and by chance what is not synced yet."""
        for handle in (self._syncing, *self._expiring.values()):
            if handle is not None:
                handle.cancel()
        self._syncing = None
        self._expiring.clear()
        for name in [name for name, queue in self.queues.items() if not queue.durable]:
            self.delete_queue(name)
        for queue in self.queues.values():
            queue.consumers.clear()
            held, queue.in_hand = list(queue.in_hand), {}
            queue.ready += held
        for unsynced in self._unsynced:
            self._lose(unsynced)
        for queue, stored in self._acked:
            if self._tossed() and self.queues.get(queue.name) is queue:
                stored.gone = False
                queue.ready.append(stored)
        self._unsynced, self._acked = [], []
        for queue in self.queues.values():
            kept = [s for s in queue.ready if not s.gone and is_persistent(s.message.header)]
            queue.ready = sorted(kept, key=lambda s: s.place)
            for stored in queue.ready:
                stored.synced = True
                stored.redelivered = stored.delivered and self._tossed()

    def recover(self) -> None:
        """Go on where a crash has left it."""
        for queue in self.queues.values():
            self._expire_later(queue)

    def _lose(self, unsynced: _Unsynced) -> None:
        if unsynced.before is None:
            if self._tossed():
                for stored in unsynced.copies:
                    stored.gone = True
            return
        # It was moved from one queue to another one: it is in the first, in the second, or in both.
        queue, stored = unsynced.before
        where = self._chance.randrange(3) if self._chance is not None else 1
        if where != 1 and self.queues.get(queue.name) is queue:
            stored.gone = False
            queue.ready.append(stored)
        if where == 0:
            for copy in unsynced.copies:
                copy.gone = True

    def _tossed(self) -> bool:
        return self._chance is not None and self._chance.random() < 0.5

    def _routed(self, message: Message) -> list[Queue]:
        if not message.exchange:
            queue = self.queues.get(message.routing_key)
            return [] if queue is None else [queue]
        self.declare_exchange(message.exchange, "", passive=True)
        bindings = self._exchanges[message.exchange].bindings
        names = {name: None for key, name in bindings if matches(key, message.routing_key)}
        return [self.queues[name] for name in names]

    def _put(self, queue: Queue, message: Message) -> Stored:
        stored = queue.put(message, asyncio.get_running_loop().time())
        most = queue.arguments.get("x-max-length")
        while most is not None and len(queue.ready) > most:  # x-overflow: drop-head
            self._dead_letter(queue, queue.ready.pop(0), "maxlen")
        self._expire_later(queue)
        return stored

    def _expire_later(self, queue: Queue) -> None:
        if not queue.ready or queue.ready[0].expires_s is None:
            return
        if (waiting := self._expiring.pop(queue.name, None)) is not None:
            waiting.cancel()
        self._expiring[queue.name] = asyncio.get_running_loop().call_at(
            queue.ready[0].expires_s, self._expire, queue
        )

    def _expire(self, queue: Queue) -> None:
        self._expiring.pop(queue.name, None)
        for stored in queue.expired(asyncio.get_running_loop().time()):
            self._dead_letter(queue, stored, "expired")
        self._expire_later(queue)

    def _dead_letter(self, queue: Queue, stored: Stored, reason: str) -> None:
        """Move a message where the queue's arguments say, or drop it."""
        stored.gone = True
        exchange = queue.arguments.get("x-dead-letter-exchange")
        if exchange is None:
            return
        message = stored.message
        moved = Message(
            exchange=exchange,
            routing_key=queue.arguments.get("x-dead-letter-routing-key", message.routing_key),
            header=with_death(
                message.header,
                queue=queue.name,
                reason=reason,
                exchange=message.exchange,
                routing_key=message.routing_key,
            ),
            body=message.body,
        )
        targets = self._routed(moved)
        copies = [self._put(target, moved) for target in targets]
        self._later(_Unsynced(copies=copies, before=(queue, stored)))
        for target in targets:
            target.dispatch()

    # -- durability

    def _later(self, unsynced: _Unsynced) -> None:
        self._unsynced.append(unsynced)
        self._sync_soon()

    def _sync_soon(self) -> None:
        if self._syncing is None:
            wait_s = 0.0 if self._chance is None else SLOWEST_SYNC_S * self._chance.random() ** 5
            self._syncing = asyncio.get_running_loop().call_later(wait_s, self._sync)

    def _sync(self) -> None:
        """Make all of it durable but what is left aside for the next time, and confirm it."""
        self._syncing = None
        waiting, self._unsynced = self._unsynced, []
        self._acked = []
        for number, unsynced in enumerate(waiting):
            aside = len(waiting) - number > 1 and self._chance is not None
            if aside and self._chance is not None and self._chance.random() < LEFT_ASIDE:
                self._unsynced.append(unsynced)
                continue
            for stored in unsynced.copies:
                stored.synced = True
            if unsynced.confirm is not None:
                unsynced.confirm()
        if self._unsynced:
            self._sync_soon()
        self.confirmed()
