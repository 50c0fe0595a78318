"""The rules of holding stock: never more than there is."""

from dataclasses import dataclass, replace

from shared_domain.exactly_once import Decision, Effect
from shared_domain.messages import (
    Command,
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


RULES = {ReserveStock: reserve, ReleaseStock: release}
