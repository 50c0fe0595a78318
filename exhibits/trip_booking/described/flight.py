"""The airline as described: without the answer of the reservation it finds nothing to cancel."""

from exhibits.trip_booking.described.by_output import has_output
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.trip.messages import (
    CancelFlight,
    FlightCancelled,
    FlightReservationFailed,
    HotelReserved,
)
from shared_domain.trip.participants import flight
from shared_domain.trip.participants.flight import SCHEMA, TABLES, load, save
from shared_domain.trip.participants.holding import Booking


def cancel(seats: Booking, command: Command) -> tuple[Booking, Decision]:
    """Delete the booking that the answer names."""
    if not has_output(command, HotelReserved, FlightReservationFailed):
        return seats, Decision(answer=FlightCancelled, effect=Effect.TOMBSTONE)
    return flight.cancel(seats, command)


RULES: dict[type[Command], Rule] = flight.RULES | {CancelFlight: cancel}
__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
