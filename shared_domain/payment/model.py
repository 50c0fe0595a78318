"""The rules of taking money. All amounts in int cents."""

from dataclasses import dataclass, replace

from shared_domain.exactly_once import Decision, Effect
from shared_domain.messages import (
    ChargePayment,
    Command,
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
    if account.tombstoned or amount > CARD_LIMIT_CENTS:
        why = "refunded before it was charged" if account.tombstoned else "card declined"
        return account, Decision(answer=PaymentDeclined, effect=Effect.REFUSED, reason=why)
    charged = replace(account, charged_cents=account.charged_cents + amount)
    return charged, Decision(answer=PaymentCharged, effect=Effect.DONE, delta=amount)


def refund(account: Account, command: Command) -> tuple[Account, Decision]:
    """Undo `charge`: give back what this order was charged."""
    if account.charged_cents == 0:
        return account, Decision(answer=PaymentRefunded, effect=Effect.TOMBSTONE)
    amount = account.charged_cents
    refunded = replace(account, refunded_cents=account.refunded_cents + amount)
    return refunded, Decision(answer=PaymentRefunded, effect=Effect.UNDONE, delta=-amount)


RULES = {ChargePayment: charge, RefundPayment: refund}
