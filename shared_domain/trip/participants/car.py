"""The car rental: holds a car. A car that is held needs no confirmation."""

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from shared_domain.trip.messages import CancelCar, CarCancelled, CarReserved, NoCarLeft, ReserveCar
from shared_domain.trip.participants.holding import (
    SCHEMA,
    TABLES,
    Booking,
    load_booking,
    save_booking,
)


def reserve(car: Booking, command: Command) -> tuple[Booking, Decision]:
    """Hold one car if one is free."""
    if car.tombstoned or car.free < 1:
        why = "cancelled before it was reserved" if car.tombstoned else "no car left"
        return car, Decision(answer=NoCarLeft, effect=Effect.REFUSED, reason=why)
    held = car.hold(1)
    return held, Decision(answer=CarReserved, effect=Effect.DONE, delta=held.free - car.free)


def cancel(car: Booking, command: Command) -> tuple[Booking, Decision]:
    """Undo `reserve`."""
    if car.held == 0:
        return car, Decision(answer=CarCancelled, effect=Effect.TOMBSTONE)
    freed = car.give_back()
    return freed, Decision(answer=CarCancelled, effect=Effect.UNDONE, delta=freed.free - car.free)


RULES: dict[type[Command], Rule] = {ReserveCar: reserve, CancelCar: cancel}


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Booking:
    """The kind of car that `command` is about, with what its trip holds of it."""
    return load_booking(tx, command.order_id, command.order.car, tombstoned=tombstoned)


def save(tx: Transaction, car: Booking, command: Command, *, wall_s: float) -> None:
    """Write it back."""
    save_booking(tx, car)


__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
