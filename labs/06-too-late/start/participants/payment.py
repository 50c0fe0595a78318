"""The rules of taking money. All amounts in int cents."""

from dataclasses import dataclass, replace

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.order.messages import (
    ChargePayment,
    PaymentCharged,
    PaymentDeclined,
    PaymentRefunded,
    RefundPayment,
)

CARD_LIMIT_CENTS = 100_000
"""A charge above this is declined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What was taken from, and given back to, the customer of one order."""

    order_id: str
    charged_cents: int = 0
    refunded_cents: int = 0
    tombstoned: bool = False


def charge(account: Account, command: Command) -> tuple[Account, Decision]:
    """Take the price of the order, within the card's limit."""
    amount = command.order.amount_cents
    # TODO: account.tombstoned is True if a refund of this order left a tombstone here
    if amount > CARD_LIMIT_CENTS:
        return account, Decision(
            answer=PaymentDeclined, effect=Effect.REFUSED, reason="card declined"
        )
    charged = replace(account, charged_cents=account.charged_cents + amount)
    return charged, Decision(answer=PaymentCharged, effect=Effect.DONE, delta=amount)


def refund(account: Account, command: Command) -> tuple[Account, Decision]:
    """Undo `charge`: give back what this order was charged."""
    # TODO: what if the charge has not come yet?
    amount = account.charged_cents
    refunded = replace(account, refunded_cents=account.refunded_cents + amount)
    return refunded, Decision(answer=PaymentRefunded, effect=Effect.UNDONE, delta=-amount)


RULES: dict[type[Command], Rule] = {ChargePayment: charge, RefundPayment: refund}

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    order_id TEXT PRIMARY KEY, charged_cents INTEGER NOT NULL, refunded_cents INTEGER NOT NULL);
"""
TABLES = ("payments",)


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Account:
    """The payments of the order that `command` is about."""
    row = tx.one(
        "SELECT charged_cents, refunded_cents FROM payments WHERE order_id = ?", command.order_id
    )
    return Account(order_id=command.order_id, tombstoned=tombstoned, **(row or {}))


def save(tx: Transaction, account: Account, command: Command, *, wall_s: float) -> None:
    """Write the payments back."""
    if account.charged_cents:
        tx.run(
            "INSERT OR REPLACE INTO payments VALUES (?, ?, ?)",
            account.order_id,
            account.charged_cents,
            account.refunded_cents,
        )
