"""The rows of shipments."""

from shared_domain.database import Transaction
from shared_domain.messages import Command
from shared_domain.shipping.model import Shipment

SCHEMA = """
CREATE TABLE IF NOT EXISTS shipments (order_id TEXT PRIMARY KEY, booked INTEGER NOT NULL);
"""
TABLES = ("shipments",)


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Shipment:
    """The parcels of the order that `command` is about."""
    row = tx.one("SELECT booked FROM shipments WHERE order_id = ?", command.order_id)
    return Shipment(order_id=command.order_id, tombstoned=tombstoned, **(row or {}))


def save(tx: Transaction, shipment: Shipment) -> None:
    """Write the parcels back."""
    if shipment.booked:
        tx.run("INSERT OR REPLACE INTO shipments VALUES (?, ?)", shipment.order_id, shipment.booked)
