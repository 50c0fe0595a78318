"""The trip saga with the published cancels; its pages are the same."""

from dataclasses import replace

from exhibits.trip_booking.described import flight, hotel, payment
from shared_domain.trip.saga import SAGA as TRIP

SAGA = replace(
    TRIP,
    name="trip_booking.described",
    participants={**TRIP.participants, "hotel": hotel, "flight": flight, "payment": payment},
)
