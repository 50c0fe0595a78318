"""The same choreography as a competent developer writes it from the documentation of aio-pika and aiosqlite.

A channel and a database per service, a lock around each transaction, every statement awaited by itself. The answer is
published and confirmed before the ack, and a repeated message publishes its first answer again: nothing is lost when
the broker is killed, and an effect happens once. Rules, tables and ledgers are ours.

What ours does and this does not: outbox and relay, group commit, checkpoints off the hot path, a connection per
service, retry queues (an error requeues at once, for ever), dead letters, step and saga deadlines, giving up,
tombstones, tracing, fault points, an audit queue.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aio_pika
import aiosqlite
from aio_pika.abc import AbstractConnection, AbstractExchange, AbstractIncomingMessage

from kernel import messages
from kernel.clock import SystemClock
from kernel.database import SYNCHRONOUS
from kernel.ledger import Effect
from kernel.messages import Command, Message
from kernel.orders import OrderRecord
from kernel.participants import SCHEMA
from shared_domain.order.messages import Order, PlaceOrder
from shared_domain.order.participants import inventory, order, payment, shipping
from shared_domain.order.saga import SAGA

QUEUE_TYPE = {"process": "classic", "power": "quorum"}
PREFETCH = 64
_LEADS_TO = {
    kind: reaction.command for reaction in SAGA.reacting(SAGA.variant) for kind in reaction.hears()
}
_CLOCK = SystemClock()
_BOOKS = "INSERT OR IGNORE INTO stock VALUES ('book', 1000000, 1000000)"
_SERVICES: dict[str, tuple[str, Callable[..., Any], dict[Any, Any]]] = {
    "order": (order.SCHEMA, OrderRecord, order.RULES),
    "inventory": (inventory.SCHEMA, inventory.Reservation, inventory.RULES),
    "payment": (payment.SCHEMA, payment.Account, payment.RULES),
    "shipping": (shipping.SCHEMA, shipping.Shipment, shipping.RULES),
}
# The statement that loads a record, and those that save it.
_SQL = {
    "order": """SELECT status FROM orders WHERE order_id = :order_id;
        INSERT INTO orders (order_id, status, message, placed_wall_s)
        VALUES (:order_id, :status, :message, :wall_s)
        ON CONFLICT (order_id) DO UPDATE SET status = excluded.status""",
    "inventory": """SELECT :item AS item, IFNULL(free, 0) AS free, IFNULL(reserved, 0) AS reserved,
        IFNULL(released, 0) AS released FROM (SELECT 1) LEFT JOIN stock ON stock.item = :item
        LEFT JOIN reservations ON order_id = :order_id;
        UPDATE stock SET free = :free WHERE item = :item;
        INSERT OR REPLACE INTO reservations VALUES (:order_id, :item, :reserved, :released)""",
    "payment": """SELECT charged_cents, refunded_cents FROM payments WHERE order_id = :order_id;
        INSERT OR REPLACE INTO payments VALUES (:order_id, :charged_cents, :refunded_cents)""",
    "shipping": """SELECT booked FROM shipments WHERE order_id = :order_id;
        INSERT OR REPLACE INTO shipments VALUES (:order_id, :booked)""",
}
_LEDGER = """INSERT INTO ledger
    (order_id, operation, effect, delta, answer, message_id, caused_by, wall_s, mono_s)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""


class _Service:
    def __init__(self, name: str, db: aiosqlite.Connection, exchange: AbstractExchange) -> None:
        self._db, self._exchange, self._lock = db, exchange, asyncio.Lock()
        _, self._record, self._rules = _SERVICES[name]
        self._load, *self._save = _SQL[name].split(";")
        self.busy = 0

    async def on_message(self, delivery: AbstractIncomingMessage) -> None:
        """Act, publish the answer, ack. On an error the message goes back to its queue."""
        self.busy += 1
        try:
            async with delivery.process(requeue=True):
                heard = SAGA.codec.from_bytes(delivery.body)
                operation = _LEADS_TO[type(heard)]
                command = heard if isinstance(heard, Command) else messages.follow(operation, heard)
                await _publish(self._exchange, await self._answer(command))
        finally:
            self.busy -= 1

    async def _answer(self, command: Command) -> Message:
        async with self._lock:  # a connection has one transaction at a time, whoever began it
            try:
                await self._db.execute("BEGIN")
                answer = await self._act_once(command)
                await self._db.commit()
            except BaseException:
                await self._db.rollback()
                raise
        return answer

    async def _act_once(self, command: Command) -> Message:
        recall = "SELECT answer FROM inbox WHERE message_id = ?"
        if earlier := await self._row(recall, (command.message_id,)):
            return SAGA.codec.from_bytes(earlier["answer"].encode())
        wanted = asdict(command.order)
        before = self._record(order_id=command.order_id, **await self._row(self._load, wanted))
        after, decision = self._rules[type(command)](before, command)
        if after != before:
            opened = {"message": messages.to_bytes(command).decode(), "wall_s": _CLOCK.wall_s()}
            for sql in self._save:
                await self._db.execute(sql, wanted | asdict(after) | opened)
        if decision.effect is not Effect.TOMBSTONE:
            what = (command.order_id, command.name, decision.effect, decision.delta)
            why = (decision.answer.__name__, command.message_id, command.caused_by)
            await self._db.execute(_LEDGER, (*what, *why, _CLOCK.wall_s(), _CLOCK.mono_s()))
        answer = messages.reply(decision.answer, command, decision.reason)
        remembered = (command.message_id, messages.to_bytes(answer).decode())
        await self._db.execute("INSERT INTO inbox VALUES (?, ?)", remembered)
        return answer

    async def _row(self, sql: str, values: Any) -> dict[str, Any]:
        rows = list(await self._db.execute_fetchall(sql, values))
        return dict(rows[0]) if rows else {}


async def _publish(exchange: AbstractExchange, message: Message) -> None:
    """Return once the broker has confirmed. Raise PublishError if the service that should react has no queue."""
    durable = aio_pika.Message(
        messages.to_bytes(message),
        message_id=message.message_id,
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    await exchange.publish(durable, message.name, mandatory=type(message) in _LEADS_TO)


@asynccontextmanager
async def _serve(
    name: str, connection: AbstractConnection, folder: Path, *, durability: str, prefix: str
) -> AsyncIterator[None]:
    async with (
        aiosqlite.connect(folder / f"{name}.sqlite", isolation_level=None) as db,
        connection.channel(on_return_raises=True) as channel,
    ):
        db.row_factory = sqlite3.Row
        await db.execute("PRAGMA journal_mode=WAL")
        await db.execute(f"PRAGMA synchronous={SYNCHRONOUS[durability]}")
        await db.executescript(SCHEMA + _SERVICES[name][0])
        if name == "inventory":
            await db.execute(_BOOKS)
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.declare_queue(
            f"{prefix}.{name}", durable=True, arguments={"x-queue-type": QUEUE_TYPE[durability]}
        )
        exchange = await channel.get_exchange(f"{prefix}.events")
        for key in SAGA.heard_by(name, SAGA.variant):
            await queue.bind(exchange, key)
        service = _Service(name, db, exchange)
        tag = await queue.consume(service.on_message)
        try:
            yield
        finally:
            await queue.cancel(tag)
            while service.busy:
                await asyncio.sleep(0.01)
            await queue.delete(if_unused=False, if_empty=False)


@asynccontextmanager
async def naive_choreography(
    url: str, folder: Path, *, durability: str, prefix: str
) -> AsyncIterator[Callable[[Order], Awaitable[None]]]:
    """The four services at work, in this process; yields place(order): returns when PlaceOrder is confirmed.

    Databases are in `folder`, with 1,000,000 units of "book" in stock. Names on the broker begin with `prefix`
    and are removed at the end.
    """
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(await aio_pika.connect_robust(url))
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.declare_exchange(
            f"{prefix}.events", aio_pika.ExchangeType.TOPIC, durable=True
        )
        stack.push_async_callback(exchange.delete, if_unused=False)
        for name in _SERVICES:
            serving = _serve(name, connection, folder, durability=durability, prefix=prefix)
            await stack.enter_async_context(serving)

        async def place(order: Order) -> None:
            command = PlaceOrder(order=order, caused_by=f"{order.order_id}:customer")
            await _publish(exchange, command)

        yield place
