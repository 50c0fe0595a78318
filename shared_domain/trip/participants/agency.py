"""The travel agency: a trip is PENDING until it is CONFIRMED or CANCELLED."""

from dataclasses import replace

from kernel.ledger import Decision, Effect
from kernel.messages import Command, Event
from kernel.orders import SCHEMA, TABLES, OrderRecord, load, save
from kernel.steps import Rule
from shared_domain.trip.messages import (
    CancelTrip,
    ConfirmTrip,
    OpenTrip,
    TripCancelled,
    TripConfirmed,
    TripOpened,
    TripRejected,
)

_ANSWER: dict[str, type[Event]] = {
    "": TripRejected,
    "REJECTED": TripRejected,
    "CANCELLED": TripCancelled,
}


def open_trip(trip: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """Open the trip, unless nobody travels or it was cancelled before it came."""
    if trip.tombstoned or command.order.travellers < 1:
        why = "cancelled before it came" if trip.tombstoned else "nobody travels"
        refused = Decision(answer=TripRejected, effect=Effect.REFUSED, reason=why)
        return replace(trip, status="REJECTED"), refused
    return replace(trip, status="PENDING"), Decision(answer=TripOpened, effect=Effect.DONE)


def confirm(trip: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """Lift the semantic lock. A trip that is not open stays as it is, and the answer says so."""
    if trip.status in ("PENDING", "CONFIRMED"):
        done = Decision(answer=TripConfirmed, effect=Effect.DONE)
        return replace(trip, status="CONFIRMED"), done
    return trip, Decision(answer=_ANSWER[trip.status], effect=Effect.REFUSED, reason="not open")


def cancel(trip: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """Undo `open_trip`. A confirmed trip is past the pivot and stays."""
    if trip.status == "CONFIRMED":
        return trip, Decision(answer=TripConfirmed, effect=Effect.KEPT, reason="confirmed")
    if trip.status in ("PENDING", "CANCELLED"):
        undone = Decision(answer=TripCancelled, effect=Effect.UNDONE)
        return replace(trip, status="CANCELLED"), undone
    return trip, Decision(answer=TripCancelled, effect=Effect.TOMBSTONE)


RULES: dict[type[Command], Rule] = {OpenTrip: open_trip, ConfirmTrip: confirm, CancelTrip: cancel}
__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
