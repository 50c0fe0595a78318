"""The inventory as published: what is meant to give the stock back takes it once more."""

from dataclasses import replace

from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.order.messages import ReleaseStock, StockReleased
from shared_domain.order.participants import inventory
from shared_domain.order.participants.inventory import SCHEMA, TABLES, Reservation, load, save


def release(stock: Reservation, command: Command) -> tuple[Reservation, Decision]:
    """Lower the free units by the ordered quantity, as `reserve` does."""
    quantity = command.order.quantity
    lowered = replace(stock, free=stock.free - quantity)
    return lowered, Decision(answer=StockReleased, effect=Effect.UNDONE, delta=-quantity)


RULES: dict[type[Command], Rule] = inventory.RULES | {ReleaseStock: release}
__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
