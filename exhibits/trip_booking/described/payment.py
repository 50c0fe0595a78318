"""The payment as described: a refund needs the answer of the charge, and deletes the record of it."""

from dataclasses import replace

from exhibits.trip_booking.described.by_output import has_output
from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.trip.messages import (
    CarReserved,
    PaymentNotTaken,
    PaymentReturned,
    ReturnPayment,
)
from shared_domain.trip.participants import payment
from shared_domain.trip.participants.payment import SCHEMA, TABLES, Fare, load


def give_back(fare: Fare, command: Command) -> tuple[Fare, Decision]:
    """Give back what was taken, and forget that it ever was."""
    if not has_output(command, CarReserved, PaymentNotTaken):
        return fare, Decision(answer=PaymentReturned, effect=Effect.TOMBSTONE)
    _, decision = payment.give_back(fare, command)
    return replace(fare, taken_cents=0), decision


def save(tx: Transaction, fare: Fare, command: Command, *, wall_s: float) -> None:
    """Write the fare back, or delete it."""
    if fare.taken_cents == 0:
        tx.run("DELETE FROM fares WHERE order_id = ?", fare.order_id)
    payment.save(tx, fare, command, wall_s=wall_s)


RULES: dict[type[Command], Rule] = payment.RULES | {ReturnPayment: give_back}
__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
