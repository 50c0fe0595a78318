"""The hotel: holds a room, and confirms it once the trip is paid."""

from dataclasses import replace

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.trip.messages import (
    CancelHotel,
    ConfirmHotel,
    HotelCancelled,
    HotelConfirmed,
    HotelFull,
    HotelRefused,
    HotelReserved,
    HotelWithdrawn,
    ReserveHotel,
    WithdrawHotel,
)
from shared_domain.trip.participants.holding import (
    SCHEMA,
    TABLES,
    Booking,
    load_booking,
    save_booking,
)

DESK_CLOSES_H = 23
"""Nobody is at the desk from this hour on."""


def reserve(room: Booking, command: Command) -> tuple[Booking, Decision]:
    """Hold one room if one is free."""
    if room.tombstoned or room.free < 1:
        why = "cancelled before it was reserved" if room.tombstoned else "no room left"
        return room, Decision(answer=HotelFull, effect=Effect.REFUSED, reason=why)
    held = room.hold(1)
    return held, Decision(answer=HotelReserved, effect=Effect.DONE, delta=held.free - room.free)


def confirm(room: Booking, command: Command) -> tuple[Booking, Decision]:
    """Make the held room a firm booking, if somebody is there to let them in."""
    if room.tombstoned or command.order.arrives_h >= DESK_CLOSES_H:
        why = "withdrawn before it was confirmed" if room.tombstoned else "the desk is closed"
        return room, Decision(answer=HotelRefused, effect=Effect.REFUSED, reason=why)
    firm = replace(room, confirmed=room.confirmed + 1)
    return firm, Decision(answer=HotelConfirmed, effect=Effect.DONE)


def withdraw(room: Booking, command: Command) -> tuple[Booking, Decision]:
    """Undo `confirm`: the room stays held."""
    if room.confirmed == 0:
        return room, Decision(answer=HotelWithdrawn, effect=Effect.TOMBSTONE)
    pending = replace(room, withdrawn=room.confirmed)
    return pending, Decision(answer=HotelWithdrawn, effect=Effect.UNDONE)


def cancel(room: Booking, command: Command) -> tuple[Booking, Decision]:
    """Undo `reserve`."""
    if room.held == 0:
        return room, Decision(answer=HotelCancelled, effect=Effect.TOMBSTONE)
    freed = room.give_back()
    return freed, Decision(
        answer=HotelCancelled, effect=Effect.UNDONE, delta=freed.free - room.free
    )


RULES: dict[type[Command], Rule] = {
    ReserveHotel: reserve,
    ConfirmHotel: confirm,
    WithdrawHotel: withdraw,
    CancelHotel: cancel,
}


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Booking:
    """The hotel that `command` is about, with what its trip holds there."""
    return load_booking(tx, command.order_id, command.order.hotel, tombstoned=tombstoned)


def save(tx: Transaction, room: Booking, command: Command, *, wall_s: float) -> None:
    """Write it back."""
    save_booking(tx, room)


__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
