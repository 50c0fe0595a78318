"""The rules of taking money. All amounts in int cents."""

from dataclasses import dataclass, replace

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.trip.messages import (
    CardRejected,
    PaymentReturned,
    PaymentTaken,
    ReturnPayment,
    TakePayment,
)

CARD_LIMIT_CENTS = 500_000
"""What costs more is refused by the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fare:
    """What was taken for one trip, and given back."""

    order_id: str
    taken_cents: int = 0
    returned_cents: int = 0
    tombstoned: bool = False


def take(fare: Fare, command: Command) -> tuple[Fare, Decision]:
    """Take the price of the trip, within the card's limit."""
    price = command.order.price_cents
    if fare.tombstoned or price > CARD_LIMIT_CENTS:
        why = "returned before it was taken" if fare.tombstoned else "over the card's limit"
        return fare, Decision(answer=CardRejected, effect=Effect.REFUSED, reason=why)
    taken = replace(fare, taken_cents=fare.taken_cents + price)
    return taken, Decision(answer=PaymentTaken, effect=Effect.DONE, delta=price)


def give_back(fare: Fare, command: Command) -> tuple[Fare, Decision]:
    """Undo `take`: give back what was taken. The charge stays on record."""
    if fare.taken_cents == 0:
        return fare, Decision(answer=PaymentReturned, effect=Effect.TOMBSTONE)
    returned = replace(fare, returned_cents=fare.returned_cents + fare.taken_cents)
    return returned, Decision(answer=PaymentReturned, effect=Effect.UNDONE, delta=-fare.taken_cents)


RULES: dict[type[Command], Rule] = {TakePayment: take, ReturnPayment: give_back}

SCHEMA = """
CREATE TABLE IF NOT EXISTS fares (
    order_id TEXT PRIMARY KEY, taken_cents INTEGER NOT NULL, returned_cents INTEGER NOT NULL);
"""
TABLES = ("fares",)


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Fare:
    """What was taken for the trip that `command` is about."""
    row = tx.one(
        "SELECT taken_cents, returned_cents FROM fares WHERE order_id = ?", command.order_id
    )
    return Fare(order_id=command.order_id, tombstoned=tombstoned, **(row or {}))


def save(tx: Transaction, fare: Fare, command: Command, *, wall_s: float) -> None:
    """Write it back."""
    if fare.taken_cents:
        tx.run(
            "INSERT OR REPLACE INTO fares VALUES (?, ?, ?)",
            fare.order_id,
            fare.taken_cents,
            fare.returned_cents,
        )
