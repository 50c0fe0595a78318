"""An inventory that believes whoever asks for a release: it looks at the order, not at what it holds."""

from dataclasses import replace

from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.order.messages import ReleaseStock, StockReleased
from shared_domain.order.participants import inventory
from shared_domain.order.participants.inventory import SCHEMA, TABLES, Reservation, load, save


def release(stock: Reservation, command: Command) -> tuple[Reservation, Decision]:
    """Give back the ordered quantity, reserved or not."""
    quantity = command.order.quantity
    freed = replace(stock, free=stock.free + quantity, released=stock.released + quantity)
    return freed, Decision(answer=StockReleased, effect=Effect.UNDONE, delta=quantity)


RULES: dict[type[Command], Rule] = inventory.RULES | {ReleaseStock: release}
__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
