"""The till takes money. What is taken stays taken: this is the saga's pivot."""

from dataclasses import dataclass, replace

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule

from .messages import AlreadyPaid, CardDeclined, MoneyTaken, PaymentVoided, TakeMoney, VoidPayment

CARD_LIMIT_CENTS = 100_000
"""What costs more is declined."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (order_id TEXT PRIMARY KEY, taken_cents INTEGER NOT NULL);
"""
TABLES = ("payments",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What was taken for one order, in cents."""

    order_id: str
    taken_cents: int = 0
    tombstoned: bool = False


def take(payment: Payment, command: Command) -> tuple[Payment, Decision]:
    """Take the price, within the card's limit. `tombstoned`: VoidPayment was here before, so this comes too late."""
    price = command.order.price_cents
    if payment.tombstoned or price > CARD_LIMIT_CENTS:
        why = "voided before it was taken" if payment.tombstoned else "card declined"
        return payment, Decision(answer=CardDeclined, effect=Effect.REFUSED, reason=why)
    taken = replace(payment, taken_cents=payment.taken_cents + price)
    return taken, Decision(answer=MoneyTaken, effect=Effect.DONE, delta=price)


def void(payment: Payment, command: Command) -> tuple[Payment, Decision]:
    """Forbid a payment that has not happened. One that has is kept."""
    if payment.taken_cents:
        kept = Decision(answer=AlreadyPaid, effect=Effect.KEPT, reason="past the pivot")
        return payment, kept
    return payment, Decision(answer=PaymentVoided, effect=Effect.TOMBSTONE)


RULES: dict[type[Command], Rule] = {TakeMoney: take, VoidPayment: void}


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Payment:
    """What was taken for the order that `command` is about."""
    row = tx.one("SELECT taken_cents FROM payments WHERE order_id = ?", command.order_id)
    return Payment(order_id=command.order_id, tombstoned=tombstoned, **(row or {}))


def save(tx: Transaction, payment: Payment, command: Command, *, wall_s: float) -> None:
    """Write it back."""
    if payment.taken_cents:
        row = (payment.order_id, payment.taken_cents)
        tx.run("INSERT OR REPLACE INTO payments VALUES (?, ?)", *row)
