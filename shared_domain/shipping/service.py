"""The shipping service: one transaction per message."""

from shared_domain.database import Transaction
from shared_domain.exactly_once import ExactlyOnce
from shared_domain.messages import Command, Event
from shared_domain.shipping import model, store


class ShippingService:
    """Answers BookShipment and CancelShipment."""

    def __init__(self, *, once: ExactlyOnce) -> None:
        self._once = once

    def handle(self, tx: Transaction, command: Command) -> Event:
        """The answer to `command`, inside its transaction."""
        if earlier := self._once.recall(tx, command):
            return earlier
        tombstoned = self._once.tombstoned(tx, command.order_id)
        shipment = store.load(tx, command, tombstoned=tombstoned)
        shipment, decision = model.RULES[type(command)](shipment, command)
        store.save(tx, shipment)
        return self._once.remember(tx, command, decision)
