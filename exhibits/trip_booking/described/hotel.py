"""The hotel as described: without the answer of the reservation it finds nothing to cancel."""

from exhibits.trip_booking.described.by_output import has_output
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.trip.messages import (
    CancelHotel,
    HotelCancelled,
    HotelReservationFailed,
    TripOpened,
)
from shared_domain.trip.participants import hotel
from shared_domain.trip.participants.holding import Booking
from shared_domain.trip.participants.hotel import SCHEMA, TABLES, load, save


def cancel(room: Booking, command: Command) -> tuple[Booking, Decision]:
    """Delete the booking that the answer names."""
    if not has_output(command, TripOpened, HotelReservationFailed):
        return room, Decision(answer=HotelCancelled, effect=Effect.TOMBSTONE)
    return hotel.cancel(room, command)


RULES: dict[type[Command], Rule] = hotel.RULES | {CancelHotel: cancel}
__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
