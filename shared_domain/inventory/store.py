"""The rows of stock and reservations."""

from shared_domain.database import Transaction
from shared_domain.inventory.model import Reservation
from shared_domain.messages import Command

SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, initial INTEGER NOT NULL, free INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS reservations (
    order_id TEXT PRIMARY KEY, item TEXT NOT NULL, reserved INTEGER NOT NULL, released INTEGER NOT NULL);
"""
TABLES = ("stock", "reservations")


def stock_up(tx: Transaction, stock: dict[str, int]) -> None:
    """Set the initial units of each item; an item that is already there is left alone."""
    rows = [(item, units, units) for item, units in stock.items()]
    tx.run_many("INSERT OR IGNORE INTO stock VALUES (?, ?, ?)", rows)


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Reservation:
    """The item that `command` is about, with what its order holds."""
    item = command.order.item
    stock = tx.one("SELECT free FROM stock WHERE item = ?", item) or {"free": 0}
    held = tx.one(
        "SELECT reserved, released FROM reservations WHERE order_id = ?", command.order_id
    ) or {"reserved": 0, "released": 0}
    return Reservation(order_id=command.order_id, item=item, tombstoned=tombstoned, **stock, **held)


def save(tx: Transaction, stock: Reservation) -> None:
    """Write both rows back."""
    tx.run("UPDATE stock SET free = ? WHERE item = ?", stock.free, stock.item)
    if stock.reserved:
        tx.run(
            "INSERT OR REPLACE INTO reservations VALUES (?, ?, ?, ?)",
            stock.order_id,
            stock.item,
            stock.reserved,
            stock.released,
        )


def free(tx: Transaction, item: str) -> int:
    """The free units of an item."""
    row = tx.one("SELECT free FROM stock WHERE item = ?", item)
    return row["free"] if row else 0


def holders(tx: Transaction, item: str) -> list[str]:
    """The orders that hold units of an item, in order of their names."""
    sql = "SELECT order_id FROM reservations WHERE item = ? AND reserved > released ORDER BY 1"
    return [row["order_id"] for row in tx.all(sql, item)]
