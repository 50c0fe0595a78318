"""The baseline: the same business rules over one database, the whole saga as one transaction.

What both styles exist to do without. No messages, no other process, no compensation: what is refused is rolled back.
It shares our group commit.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from kernel.clock import SystemClock
from kernel.database import Database, Transaction
from kernel.participants import database_path
from shared_domain.order.messages import Order

STEPS = ("PlaceOrder", "ReserveStock", "ChargePayment", "BookShipment", "ConfirmOrder")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (order_id TEXT PRIMARY KEY, status TEXT NOT NULL, amount_cents INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, free INTEGER NOT NULL CHECK (free >= 0)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reservations (order_id TEXT PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payments (order_id TEXT PRIMARY KEY, charged_cents INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shipments (order_id TEXT PRIMARY KEY, destination TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY, order_id TEXT NOT NULL, operation TEXT NOT NULL, effect TEXT NOT NULL, mono_s REAL NOT NULL);
INSERT OR IGNORE INTO stock VALUES ('book', 100000000);
"""
_CLOCK = SystemClock()


@asynccontextmanager
async def single_database(
    folder: Path, *, durability: str
) -> AsyncIterator[Callable[[Order], Awaitable[None]]]:
    """Yields place(order), which returns when the whole order is committed. The database is that of the order service."""
    opening = Database.open(database_path(folder, "order"), schema=_SCHEMA, durability=durability)
    async with opening as database:

        async def place(order: Order) -> None:
            await database.write(lambda tx: _whole(tx, order))

        yield place


def _whole(tx: Transaction, order: Order) -> None:
    known = tx.one("SELECT status FROM orders WHERE order_id = ?", order.order_id)
    if known is not None:
        return
    tx.run("INSERT INTO orders VALUES (?, 'CONFIRMED', ?)", order.order_id, order.amount_cents)
    tx.run("UPDATE stock SET free = free - ? WHERE item = ?", order.quantity, order.item)
    tx.run("INSERT INTO reservations VALUES (?, ?, ?)", order.order_id, order.item, order.quantity)
    tx.run("INSERT INTO payments VALUES (?, ?)", order.order_id, order.amount_cents)
    tx.run("INSERT INTO shipments VALUES (?, ?)", order.order_id, order.destination)
    for step in STEPS:
        tx.run(
            "INSERT INTO ledger (order_id, operation, effect, mono_s) VALUES (?, ?, 'done', ?)",
            order.order_id,
            step,
            _CLOCK.mono_s(),
        )
