"""What hotel, airline and car rental have in common: a limited number of something, held for one trip at a time.

A trip holds what it was given, and gives back what it holds, never what it was said to want.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kernel.database import Transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS capacity (item TEXT PRIMARY KEY, initial INTEGER NOT NULL, free INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS bookings (
    order_id TEXT PRIMARY KEY, item TEXT NOT NULL, held INTEGER NOT NULL, cancelled INTEGER NOT NULL,
    confirmed INTEGER NOT NULL, withdrawn INTEGER NOT NULL);
"""
TABLES = ("capacity", "bookings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One item's free units, and what this trip holds of it. `confirmed` and `withdrawn` count how often."""

    order_id: str
    item: str
    free: int = 0
    held: int = 0
    cancelled: int = 0
    confirmed: int = 0
    withdrawn: int = 0
    tombstoned: bool = False

    def hold(self, units: int) -> "Booking":
        """Take so many of the free units."""
        return replace(self, free=self.free - units, held=self.held + units)

    def give_back(self) -> "Booking":
        """Free all that this trip was given."""
        return replace(self, free=self.free + self.held, cancelled=self.cancelled + self.held)


def stock_up(tx: Transaction, units: Mapping[str, int]) -> None:
    """Set the initial units of each item; an item that is already there is left alone."""
    rows = [(item, number, number) for item, number in units.items()]
    tx.run_many("INSERT OR IGNORE INTO capacity VALUES (?, ?, ?)", rows)


def load_booking(tx: Transaction, order_id: str, item: str, *, tombstoned: bool) -> Booking:
    """The item, with what this trip holds of it."""
    capacity = tx.one("SELECT free FROM capacity WHERE item = ?", item)
    mine = tx.one(
        "SELECT held, cancelled, confirmed, withdrawn FROM bookings WHERE order_id = ?", order_id
    )
    found = Booking(order_id=order_id, item=item, tombstoned=tombstoned, **(mine or {}))
    return replace(found, free=capacity["free"]) if capacity else found


def save_booking(tx: Transaction, booking: Booking) -> None:
    """Write both rows back."""
    tx.run("UPDATE capacity SET free = ? WHERE item = ?", booking.free, booking.item)
    if booking.held:
        tx.run(
            "INSERT OR REPLACE INTO bookings VALUES (?, ?, ?, ?, ?, ?)",
            booking.order_id,
            booking.item,
            booking.held,
            booking.cancelled,
            booking.confirmed,
            booking.withdrawn,
        )
