"""The rules of booking a parcel. What is booked stays booked: this is the saga's pivot."""

from dataclasses import dataclass, replace

from shared_domain.exactly_once import Decision, Effect
from shared_domain.messages import (
    BookShipment,
    CancelShipment,
    Command,
    ShipmentAlreadyBooked,
    ShipmentBooked,
    ShipmentCancelled,
    ShipmentRefused,
)

UNSERVED = frozenset({"Atlantis"})
"""Destinations no carrier goes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """How many parcels are booked for one order: 0, or 1 if all is well."""

    order_id: str
    booked: int = 0
    tombstoned: bool = False


def book(shipment: Shipment, command: Command) -> tuple[Shipment, Decision]:
    """Book a parcel to the order's destination."""
    if shipment.tombstoned or command.order.destination in UNSERVED:
        why = "cancelled before it was booked" if shipment.tombstoned else "undeliverable"
        return shipment, Decision(answer=ShipmentRefused, effect=Effect.REFUSED, reason=why)
    booked = replace(shipment, booked=shipment.booked + 1)
    return booked, Decision(answer=ShipmentBooked, effect=Effect.DONE, delta=1)


def cancel(shipment: Shipment, command: Command) -> tuple[Shipment, Decision]:
    """Forbid a booking that has not happened. One that has is kept."""
    if shipment.booked:
        kept = Decision(answer=ShipmentAlreadyBooked, effect=Effect.KEPT, reason="past the pivot")
        return shipment, kept
    return shipment, Decision(answer=ShipmentCancelled, effect=Effect.TOMBSTONE)


RULES = {BookShipment: book, CancelShipment: cancel}
