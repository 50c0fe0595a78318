"""The courier brings cakes, but not everywhere."""

from dataclasses import dataclass, replace

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule

from .messages import BookCourier, CallOffCourier, CourierBooked, CourierCalledOff, NoCourier

UNSERVED = "Atlantis"

SCHEMA = """
CREATE TABLE IF NOT EXISTS rides (
    order_id TEXT PRIMARY KEY, booked INTEGER NOT NULL, called_off INTEGER NOT NULL);
"""
TABLES = ("rides",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """The rides of one order."""

    order_id: str
    booked: int = 0
    called_off: int = 0
    tombstoned: bool = False


def book(ride: Ride, command: Command) -> tuple[Ride, Decision]:
    """Book a courier, if the street is served."""
    if ride.tombstoned or command.order.street == UNSERVED:
        why = "called off before it was booked" if ride.tombstoned else "nobody goes there"
        return ride, Decision(answer=NoCourier, effect=Effect.REFUSED, reason=why)
    booked = replace(ride, booked=ride.booked + 1)
    return booked, Decision(answer=CourierBooked, effect=Effect.DONE, delta=1)


def call_off(ride: Ride, command: Command) -> tuple[Ride, Decision]:
    """Undo `book`: call off what this order has booked."""
    if ride.booked == 0:
        return ride, Decision(answer=CourierCalledOff, effect=Effect.TOMBSTONE)
    off = replace(ride, called_off=ride.called_off + ride.booked)
    return off, Decision(answer=CourierCalledOff, effect=Effect.UNDONE, delta=-ride.booked)


RULES: dict[type[Command], Rule] = {BookCourier: book, CallOffCourier: call_off}


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Ride:
    """The rides of the order that `command` is about."""
    row = tx.one("SELECT booked, called_off FROM rides WHERE order_id = ?", command.order_id)
    return Ride(order_id=command.order_id, tombstoned=tombstoned, **(row or {}))


def save(tx: Transaction, ride: Ride, command: Command, *, wall_s: float) -> None:
    """Write them back."""
    if ride.booked:
        row = (ride.order_id, ride.booked, ride.called_off)
        tx.run("INSERT OR REPLACE INTO rides VALUES (?, ?, ?)", *row)
