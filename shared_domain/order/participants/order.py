"""The rules of an order's life: PENDING until it is CONFIRMED or CANCELLED."""

from dataclasses import replace

from kernel.ledger import Decision, Effect
from kernel.messages import Command, Event
from kernel.orders import SCHEMA, TABLES, OrderRecord, load, save
from kernel.steps import Rule
from shared_domain.order.messages import (
    CancelOrder,
    ConfirmOrder,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    PlaceOrder,
)

_ANSWER: dict[str, type[Event]] = {
    "": OrderRejected,
    "REJECTED": OrderRejected,
    "CANCELLED": OrderCancelled,
    "CONFIRMED": OrderConfirmed,
}


def place(order: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """Open the order, unless it is malformed or was cancelled before it came."""
    wanted = command.order
    if order.tombstoned or wanted.quantity < 1 or wanted.amount_cents < 1:
        why = "cancelled before it came" if order.tombstoned else "nothing ordered"
        refused = Decision(answer=OrderRejected, effect=Effect.REFUSED, reason=why)
        return replace(order, status="REJECTED"), refused
    return replace(order, status="PENDING"), Decision(answer=OrderPlaced, effect=Effect.DONE)


def confirm(order: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """Lift the semantic lock. An order that is not open stays as it is, and the answer says so."""
    if order.status in ("PENDING", "CONFIRMED"):
        done = Decision(answer=OrderConfirmed, effect=Effect.DONE)
        return replace(order, status="CONFIRMED"), done
    return order, Decision(answer=_ANSWER[order.status], effect=Effect.REFUSED, reason="not open")


def cancel(order: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """Undo `place`. A confirmed order is past the pivot and stays."""
    if order.status == "CONFIRMED":
        return order, Decision(answer=OrderConfirmed, effect=Effect.KEPT, reason="confirmed")
    if order.status in ("PENDING", "CANCELLED"):
        undone = Decision(answer=OrderCancelled, effect=Effect.UNDONE)
        return replace(order, status="CANCELLED"), undone
    return order, Decision(answer=OrderCancelled, effect=Effect.TOMBSTONE)


RULES: dict[type[Command], Rule] = {PlaceOrder: place, ConfirmOrder: confirm, CancelOrder: cancel}
__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
