"""The inventory service: one transaction per message."""

from shared_domain.database import Transaction
from shared_domain.exactly_once import ExactlyOnce
from shared_domain.inventory import model, store
from shared_domain.messages import Command, Event


class InventoryService:
    """Answers ReserveStock and ReleaseStock."""

    def __init__(self, *, once: ExactlyOnce) -> None:
        self._once = once

    def handle(self, tx: Transaction, command: Command) -> Event:
        """The answer to `command`, inside its transaction."""
        if earlier := self._once.recall(tx, command):
            return earlier
        tombstoned = self._once.tombstoned(tx, command.order_id)
        stock = store.load(tx, command, tombstoned=tombstoned)
        stock, decision = model.RULES[type(command)](stock, command)
        store.save(tx, stock)
        return self._once.remember(tx, command, decision)
