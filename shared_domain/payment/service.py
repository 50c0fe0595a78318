"""The payment service: one transaction per message."""

from shared_domain.database import Transaction
from shared_domain.exactly_once import ExactlyOnce
from shared_domain.messages import Command, Event
from shared_domain.payment import model, store


class PaymentService:
    """Answers ChargePayment and RefundPayment."""

    def __init__(self, *, once: ExactlyOnce) -> None:
        self._once = once

    def handle(self, tx: Transaction, command: Command) -> Event:
        """The answer to `command`, inside its transaction."""
        if earlier := self._once.recall(tx, command):
            return earlier
        tombstoned = self._once.tombstoned(tx, command.order_id)
        account = store.load(tx, command, tombstoned=tombstoned)
        account, decision = model.RULES[type(command)](account, command)
        store.save(tx, account)
        return self._once.remember(tx, command, decision)
