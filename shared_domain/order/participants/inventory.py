"""The rules of holding stock: never more than there is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.order.messages import (
    ReleaseStock,
    ReserveStock,
    StockRefused,
    StockReleased,
    StockReserved,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One item's free units, and what this order holds of it."""

    order_id: str
    item: str
    free: int = 0
    reserved: int = 0
    released: int = 0
    tombstoned: bool = False


def reserve(stock: Reservation, command: Command) -> tuple[Reservation, Decision]:
    """Hold the ordered quantity if it is free."""
    quantity = command.order.quantity
    if stock.tombstoned or stock.free < quantity:
        why = "released before it was reserved" if stock.tombstoned else "out of stock"
        return stock, Decision(answer=StockRefused, effect=Effect.REFUSED, reason=why)
    held = replace(stock, free=stock.free - quantity, reserved=stock.reserved + quantity)
    return held, Decision(answer=StockReserved, effect=Effect.DONE, delta=held.free - stock.free)


def release(stock: Reservation, command: Command) -> tuple[Reservation, Decision]:
    """Undo `reserve`: give back what this order reserved, never what another one did."""
    if stock.reserved == 0:
        return stock, Decision(answer=StockReleased, effect=Effect.TOMBSTONE)
    quantity = stock.reserved
    freed = replace(stock, free=stock.free + quantity, released=stock.released + quantity)
    return freed, Decision(
        answer=StockReleased, effect=Effect.UNDONE, delta=freed.free - stock.free
    )


RULES: dict[type[Command], Rule] = {ReserveStock: reserve, ReleaseStock: release}

SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, initial INTEGER NOT NULL, free INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS reservations (
    order_id TEXT PRIMARY KEY, item TEXT NOT NULL, reserved INTEGER NOT NULL, released INTEGER NOT NULL);
"""
TABLES = ("stock", "reservations")


def stock_up(tx: Transaction, stock: Mapping[str, int]) -> None:
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


def save(tx: Transaction, stock: Reservation, command: Command, *, wall_s: float) -> None:
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
