"""The rules of booking a parcel. What is booked stays booked: this is the saga's pivot."""

from dataclasses import dataclass, replace

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.order.messages import (
    BookShipment,
    CancelShipment,
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
    # TODO: shipment.tombstoned is True if a cancellation of this order left a tombstone here
    if command.order.destination in UNSERVED:
        return shipment, Decision(
            answer=ShipmentRefused, effect=Effect.REFUSED, reason="undeliverable"
        )
    booked = replace(shipment, booked=shipment.booked + 1)
    return booked, Decision(answer=ShipmentBooked, effect=Effect.DONE, delta=1)


def cancel(shipment: Shipment, command: Command) -> tuple[Shipment, Decision]:
    """Answer that there is no shipment."""
    # TODO: what if there is one? A booked parcel cannot be called back. And what if the booking has not come yet?
    return shipment, Decision(answer=ShipmentCancelled, effect=Effect.UNDONE)


RULES: dict[type[Command], Rule] = {BookShipment: book, CancelShipment: cancel}

SCHEMA = """
CREATE TABLE IF NOT EXISTS shipments (order_id TEXT PRIMARY KEY, booked INTEGER NOT NULL);
"""
TABLES = ("shipments",)


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Shipment:
    """The parcels of the order that `command` is about."""
    row = tx.one("SELECT booked FROM shipments WHERE order_id = ?", command.order_id)
    return Shipment(order_id=command.order_id, tombstoned=tombstoned, **(row or {}))


def save(tx: Transaction, shipment: Shipment, command: Command, *, wall_s: float) -> None:
    """Write the parcels back."""
    if shipment.booked:
        tx.run("INSERT OR REPLACE INTO shipments VALUES (?, ?)", shipment.order_id, shipment.booked)
