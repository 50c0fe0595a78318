"""The trip saga itself."""

from dataclasses import replace

from shared_domain.trip.saga import SAGA as TRIP

SAGA = replace(TRIP, name="trip_booking.corrected")
