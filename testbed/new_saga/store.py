"""The store holds items: never more than there are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule

from .messages import FreeItem, HoldItem, ItemFreed, ItemHeld, SoldOut

SCHEMA = """
CREATE TABLE IF NOT EXISTS shelf (item TEXT PRIMARY KEY, initial INTEGER NOT NULL, free INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS holds (
    order_id TEXT PRIMARY KEY, item TEXT NOT NULL, held INTEGER NOT NULL, freed INTEGER NOT NULL);
"""
TABLES = ("shelf", "holds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One item's free pieces, and what this order holds of it."""

    order_id: str
    item: str
    free: int = 0
    held: int = 0
    freed: int = 0
    tombstoned: bool = False


def hold(shelf: Hold, command: Command) -> tuple[Hold, Decision]:
    """Hold one piece if one is free. `tombstoned`: FreeItem was here before, so this comes too late."""
    if shelf.tombstoned or shelf.free < 1:
        why = "freed before it was held" if shelf.tombstoned else "sold out"
        return shelf, Decision(answer=SoldOut, effect=Effect.REFUSED, reason=why)
    held = replace(shelf, free=shelf.free - 1, held=shelf.held + 1)
    return held, Decision(answer=ItemHeld, effect=Effect.DONE, delta=-1)


def free(shelf: Hold, command: Command) -> tuple[Hold, Decision]:
    """Undo `hold`: give back what this order holds, never what it asked for."""
    if shelf.held == 0:
        return shelf, Decision(answer=ItemFreed, effect=Effect.TOMBSTONE)
    freed = replace(shelf, free=shelf.free + shelf.held, freed=shelf.freed + shelf.held)
    return freed, Decision(answer=ItemFreed, effect=Effect.UNDONE, delta=shelf.held)


RULES: dict[type[Command], Rule] = {HoldItem: hold, FreeItem: free}


def stock_up(tx: Transaction, pieces: Mapping[str, int]) -> None:
    """Set the initial pieces of each item; an item that is already there is left alone."""
    rows = [(item, number, number) for item, number in pieces.items()]
    tx.run_many("INSERT OR IGNORE INTO shelf VALUES (?, ?, ?)", rows)


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Hold:
    """The item that `command` is about, with what its order holds."""
    item = command.order.item
    shelf = tx.one("SELECT free FROM shelf WHERE item = ?", item) or {"free": 0}
    mine = tx.one("SELECT held, freed FROM holds WHERE order_id = ?", command.order_id) or {}
    return Hold(order_id=command.order_id, item=item, tombstoned=tombstoned, **shelf, **mine)


def save(tx: Transaction, shelf: Hold, command: Command, *, wall_s: float) -> None:
    """Write both rows back."""
    tx.run("UPDATE shelf SET free = ? WHERE item = ?", shelf.free, shelf.item)
    if shelf.held:
        row = (shelf.order_id, shelf.item, shelf.held, shelf.freed)
        tx.run("INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?)", *row)
