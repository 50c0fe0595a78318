"""The rows of orders."""

from shared_domain.database import Transaction
from shared_domain.messages import Command
from shared_domain.order.model import OrderRecord

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY, status TEXT NOT NULL, amount_cents INTEGER NOT NULL, message TEXT NOT NULL,
    placed_wall_s REAL NOT NULL, expired INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS open_orders ON orders (placed_wall_s) WHERE status = 'PENDING' AND expired = 0;
"""
TABLES = ("orders",)


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> OrderRecord:
    """The order that `command` is about."""
    row = tx.one("SELECT status FROM orders WHERE order_id = ?", command.order_id)
    status = row["status"] if row else ""
    return OrderRecord(order_id=command.order_id, status=status, tombstoned=tombstoned)


def save(
    tx: Transaction, order: OrderRecord, command: Command, *, text: str, wall_s: float
) -> None:
    """Write the order back; `text` is the message that opened it."""
    if order.status:
        tx.run(
            "INSERT INTO orders (order_id, status, amount_cents, message, placed_wall_s)"
            " VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (order_id) DO UPDATE SET status = excluded.status",
            order.order_id,
            order.status,
            command.order.amount_cents,
            text,
            wall_s,
        )


def statuses(tx: Transaction) -> dict[str, str]:
    """order_id -> status, of every order ever opened."""
    return {row["order_id"]: row["status"] for row in tx.all("SELECT order_id, status FROM orders")}


def status(tx: Transaction, order_id: str) -> str:
    """The status of one order, UNKNOWN if there is no such order."""
    row = tx.one("SELECT status FROM orders WHERE order_id = ?", order_id)
    return row["status"] if row else "UNKNOWN"
