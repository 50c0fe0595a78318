"""The table of orders, kept by the participant that opens a saga: status, the message that opened it, its deadline."""

from collections.abc import Iterable
from dataclasses import dataclass

from kernel import messages
from kernel.database import Transaction
from kernel.messages import Codec, Command, Event
from kernel.outbox import Outbox

PENDING, CONFIRMED, CANCELLED, REJECTED = "PENDING", "CONFIRMED", "CANCELLED", "REJECTED"
TERMINAL = frozenset({CONFIRMED, CANCELLED, REJECTED})
SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY, status TEXT NOT NULL, message TEXT NOT NULL,
    placed_wall_s REAL NOT NULL, expired INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS open_orders ON orders (placed_wall_s) WHERE status = 'PENDING' AND expired = 0;
"""
TABLES = ("orders",)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """One order as its service knows it. `status` "" = never heard of."""

    order_id: str
    status: str = ""
    tombstoned: bool = False


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> OrderRecord:
    """The order that `command` is about."""
    row = tx.one("SELECT status FROM orders WHERE order_id = ?", command.order_id)
    status = row["status"] if row else ""
    return OrderRecord(order_id=command.order_id, status=status, tombstoned=tombstoned)


def save(tx: Transaction, record: OrderRecord, command: Command, *, wall_s: float) -> None:
    """Write the order back; a new one with the command that opened it, at `wall_s`."""
    if record.status:
        tx.run(
            "INSERT INTO orders (order_id, status, message, placed_wall_s) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (order_id) DO UPDATE SET status = excluded.status",
            record.order_id,
            record.status,
            messages.to_bytes(command).decode(),
            wall_s,
        )


def statuses(tx: Transaction) -> dict[str, str]:
    """order_id -> status, of every order ever opened."""
    return {row["order_id"]: row["status"] for row in tx.all("SELECT order_id, status FROM orders")}


def status(tx: Transaction, order_id: str) -> str:
    """The status of one order, UNKNOWN if there is no such order."""
    row = tx.one("SELECT status FROM orders WHERE order_id = ?", order_id)
    return row["status"] if row else "UNKNOWN"


def expire(
    tx: Transaction,
    *,
    older_than_wall_s: float,
    codec: Codec,
    expired: type[Event],
    outbox: Outbox | None,
) -> list[Event]:
    """Mark every order that is PENDING since before `older_than_wall_s`, once; the `expired` event of each.

    `outbox`: where they go; None = nobody hears of it until somebody asks for `overdue`.
    """
    late = tx.all(
        "SELECT order_id, message FROM orders"
        " WHERE status = 'PENDING' AND expired = 0 AND placed_wall_s < ? LIMIT 100",
        older_than_wall_s,
    )
    found = _expired((row["message"] for row in late), codec, expired)
    for event in found:
        tx.run("UPDATE orders SET expired = 1 WHERE order_id = ?", event.order_id)
        if outbox is not None:
            outbox.enqueue(tx, event)
    return found


def overdue(tx: Transaction, *, codec: Codec, expired: type[Event]) -> list[Event]:
    """The `expired` event of every order that is open past its deadline."""
    rows = tx.all("SELECT message FROM orders WHERE status = 'PENDING' AND expired = 1")
    return _expired((row["message"] for row in rows), codec, expired)


def _expired(opened: Iterable[str], codec: Codec, expired: type[Event]) -> list[Event]:
    placed = (codec.from_bytes(text) for text in opened)
    return [messages.reply(expired, message, "saga deadline passed") for message in placed]
