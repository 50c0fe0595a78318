"""Every command and event of the trip saga, and what a traveller asks for.

A booking is first held as pending and confirmed once everything is paid: each of the two can be undone by itself.
"""

from dataclasses import dataclass

from kernel.messages import Command, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One trip. `hotel`, `flight` and `car` name what is wanted of a limited number each; `order_id` names the saga."""

    order_id: str
    traveller: str
    hotel: str
    flight: str
    car: str
    travellers: int
    price_cents: int
    arrives_h: int = 18
    """Hour of the day at which they come to the hotel."""
    passport: str = "valid"


class OpenTrip(Command):
    """Open the trip as PENDING: the semantic lock."""


class ReserveHotel(Command):
    """Hold a room, not yet confirmed."""


class ReserveFlight(Command):
    """Hold a seat for each traveller, not yet confirmed."""


class ReserveCar(Command):
    """Hold a car."""


class TakePayment(Command):
    """Take the traveller's money."""


class ConfirmHotel(Command):
    """Make the held room a firm booking."""


class ConfirmFlight(Command):
    """Issue the tickets: the pivot, after which the saga only goes forward."""


class ConfirmTrip(Command):
    """Lift the semantic lock."""


class WithdrawFlight(Command):
    """Make sure that no ticket is issued, or learn that they are."""


class WithdrawHotel(Command):
    """Undo ConfirmHotel: the room is only held again."""


class ReturnPayment(Command):
    """Undo TakePayment."""


class CancelCar(Command):
    """Undo ReserveCar."""


class CancelFlight(Command):
    """Undo ReserveFlight."""


class CancelHotel(Command):
    """Undo ReserveHotel."""


class CancelTrip(Command):
    """Undo OpenTrip."""


class TripOpened(Event):
    """The trip is PENDING."""


class TripRejected(Event):
    """Refused: nothing was opened."""


class HotelReserved(Event):
    """A room is held."""


class HotelFull(Event):
    """Refused: no room left."""


class HotelReservationFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class FlightReserved(Event):
    """The seats are held."""


class FlightFull(Event):
    """Refused: not enough seats left."""


class FlightReservationFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class CarReserved(Event):
    """A car is held."""


class NoCarLeft(Event):
    """Refused: no car left."""


class CarReservationFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class PaymentTaken(Event):
    """The money is taken."""


class CardRejected(Event):
    """Refused: the card is over its limit."""


class PaymentNotTaken(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class HotelConfirmed(Event):
    """The room is a firm booking."""


class HotelRefused(Event):
    """Refused: nobody is at the desk when they come."""


class HotelConfirmationFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class FlightConfirmed(Event):
    """The tickets are issued: from here only forward."""


class FlightRefused(Event):
    """Refused: the passport has expired."""


class FlightConfirmationFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class TripConfirmed(Event):
    """The saga ended well."""


class TripExpired(Event):
    """The saga deadline passed while the trip was PENDING."""


class FlightWithdrawn(Event):
    """No ticket is issued, and none will be."""


class FlightAlreadyConfirmed(Event):
    """Too late to withdraw: go forward."""


class HotelWithdrawn(Event):
    """The room is not confirmed, and will not be."""


class PaymentReturned(Event):
    """The money is back, or was never taken and never will be."""


class CarCancelled(Event):
    """The car is free again, or was never held and never will be."""


class FlightCancelled(Event):
    """The seats are free again, or were never held and never will be."""


class HotelCancelled(Event):
    """The room is free again, or was never held and never will be."""


class TripCancelled(Event):
    """The saga ended by compensation."""
