"""Gives seats; the balcony is closed."""

from dataclasses import dataclass, replace

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.steps import Rule
from ticket.messages import Full, Seat, Seated

SCHEMA = "CREATE TABLE IF NOT EXISTS seats (order_id TEXT PRIMARY KEY, taken INTEGER NOT NULL);"
TABLES = ("seats",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """The seats of one guest."""

    order_id: str
    taken: int = 0


def seat(seats: Seats, command: Command) -> tuple[Seats, Decision]:
    """Give one."""
    if command.order.balcony:
        return seats, Decision(answer=Full, effect=Effect.REFUSED, reason="closed")
    given = replace(seats, taken=seats.taken + 1)
    return given, Decision(answer=Seated, effect=Effect.DONE, delta=1)


RULES: dict[type[Command], Rule] = {Seat: seat}


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Seats:
    """The guest's seats."""
    row = tx.one("SELECT taken FROM seats WHERE order_id = ?", command.order_id)
    return Seats(order_id=command.order_id, **(row or {}))


def save(tx: Transaction, seats: Seats, command: Command, *, wall_s: float) -> None:
    """Write them back."""
    if seats.taken:
        tx.run("INSERT OR REPLACE INTO seats VALUES (?, ?)", seats.order_id, seats.taken)
