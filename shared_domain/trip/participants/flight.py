"""The airline: holds a seat for each traveller, and issues the tickets once the trip is paid. Tickets are final: the saga's pivot."""

from dataclasses import replace

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.trip.messages import (
    CancelFlight,
    ConfirmFlight,
    FlightAlreadyConfirmed,
    FlightCancelled,
    FlightConfirmed,
    FlightFull,
    FlightRefused,
    FlightReserved,
    FlightWithdrawn,
    ReserveFlight,
    WithdrawFlight,
)
from shared_domain.trip.participants.holding import (
    SCHEMA,
    TABLES,
    Booking,
    load_booking,
    save_booking,
)

VALID = "valid"


def reserve(seats: Booking, command: Command) -> tuple[Booking, Decision]:
    """Hold a seat for each traveller, or none at all."""
    wanted = command.order.travellers
    if seats.tombstoned or seats.free < wanted:
        why = "cancelled before they were reserved" if seats.tombstoned else "not enough seats"
        return seats, Decision(answer=FlightFull, effect=Effect.REFUSED, reason=why)
    held = seats.hold(wanted)
    return held, Decision(answer=FlightReserved, effect=Effect.DONE, delta=held.free - seats.free)


def confirm(seats: Booking, command: Command) -> tuple[Booking, Decision]:
    """Issue the tickets, if the passport is valid."""
    if seats.tombstoned or command.order.passport != VALID:
        why = "withdrawn before they were issued" if seats.tombstoned else "passport expired"
        return seats, Decision(answer=FlightRefused, effect=Effect.REFUSED, reason=why)
    issued = replace(seats, confirmed=seats.confirmed + 1)
    return issued, Decision(answer=FlightConfirmed, effect=Effect.DONE)


def withdraw(seats: Booking, command: Command) -> tuple[Booking, Decision]:
    """Forbid tickets that are not issued yet. Those that are stay valid."""
    if seats.confirmed:
        kept = Decision(answer=FlightAlreadyConfirmed, effect=Effect.KEPT, reason="past the pivot")
        return seats, kept
    return seats, Decision(answer=FlightWithdrawn, effect=Effect.TOMBSTONE)


def cancel(seats: Booking, command: Command) -> tuple[Booking, Decision]:
    """Undo `reserve`."""
    if seats.held == 0:
        return seats, Decision(answer=FlightCancelled, effect=Effect.TOMBSTONE)
    freed = seats.give_back()
    return freed, Decision(
        answer=FlightCancelled, effect=Effect.UNDONE, delta=freed.free - seats.free
    )


RULES: dict[type[Command], Rule] = {
    ReserveFlight: reserve,
    ConfirmFlight: confirm,
    WithdrawFlight: withdraw,
    CancelFlight: cancel,
}


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Booking:
    """The flight that `command` is about, with what its trip holds there."""
    return load_booking(tx, command.order_id, command.order.flight, tombstoned=tombstoned)


def save(tx: Transaction, seats: Booking, command: Command, *, wall_s: float) -> None:
    """Write it back."""
    save_booking(tx, seats)


__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
