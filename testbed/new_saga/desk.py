"""The desk opens and closes orders: PENDING until CONFIRMED or CANCELLED. The table of orders is the kernel's."""

from dataclasses import replace

from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.orders import SCHEMA, TABLES, OrderRecord, load, save
from kernel.steps import Rule

from .messages import (
    CancelOrder,
    CloseOrder,
    OpenOrder,
    OrderCancelled,
    OrderClosed,
    OrderOpened,
    OrderRejected,
)


def open_order(order: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """Open the order, unless it costs nothing or was cancelled before it came."""
    if order.tombstoned or command.order.price_cents < 1:
        why = "cancelled before it came" if order.tombstoned else "nothing to pay"
        refused = Decision(answer=OrderRejected, effect=Effect.REFUSED, reason=why)
        return replace(order, status="REJECTED"), refused
    return replace(order, status="PENDING"), Decision(answer=OrderOpened, effect=Effect.DONE)


def close(order: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """The order is done."""
    if order.status in ("PENDING", "CONFIRMED"):
        done = Decision(answer=OrderClosed, effect=Effect.DONE)
        return replace(order, status="CONFIRMED"), done
    return order, Decision(answer=OrderCancelled, effect=Effect.REFUSED, reason="not open")


def cancel(order: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """Undo `open_order`. An order that is done stays."""
    if order.status == "CONFIRMED":
        return order, Decision(answer=OrderClosed, effect=Effect.KEPT, reason="done")
    if order.status in ("PENDING", "CANCELLED"):
        undone = Decision(answer=OrderCancelled, effect=Effect.UNDONE)
        return replace(order, status="CANCELLED"), undone
    return order, Decision(answer=OrderCancelled, effect=Effect.TOMBSTONE)


RULES: dict[type[Command], Rule] = {OpenOrder: open_order, CloseOrder: close, CancelOrder: cancel}
__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
