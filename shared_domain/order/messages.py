"""Every command and event of the order saga, and what a customer orders.

A message carries the whole order, so that no participant has to ask another one for it.
"""

from dataclasses import dataclass, field

from kernel.messages import LONG, Command, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the customer wants. `order_id` is chosen by the client and names the saga."""

    order_id: str
    customer: str
    item: str
    quantity: int
    amount_cents: int
    destination: str
    note: str = field(default="", metadata=LONG)
    """What the customer encloses: the only text that may be long."""


class PlaceOrder(Command):
    """Open the order as PENDING: the semantic lock."""


class ReserveStock(Command):
    """Hold the item for this order."""


class ChargePayment(Command):
    """Take the customer's money."""


class BookShipment(Command):
    """Book the parcel: the pivot, after which the saga only goes forward."""


class ConfirmOrder(Command):
    """Lift the semantic lock."""


class CancelShipment(Command):
    """Make sure that nothing is booked, or learn that it already is."""


class RefundPayment(Command):
    """Undo ChargePayment."""


class ReleaseStock(Command):
    """Undo ReserveStock."""


class CancelOrder(Command):
    """Undo PlaceOrder."""


class OrderPlaced(Event):
    """The order is PENDING."""


class OrderRejected(Event):
    """Refused: nothing was opened."""


class StockReserved(Event):
    """The item is held."""


class StockRefused(Event):
    """Refused: out of stock."""


class StockReservationFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class PaymentCharged(Event):
    """The money is taken."""


class PaymentDeclined(Event):
    """Refused: the card was declined."""


class PaymentFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class ShipmentBooked(Event):
    """The parcel is booked: from here only forward."""


class ShipmentRefused(Event):
    """Refused: undeliverable."""


class ShipmentBookingFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class OrderConfirmed(Event):
    """The saga ended well."""


class OrderExpired(Event):
    """The saga deadline passed while the order was PENDING."""


class ShipmentCancelled(Event):
    """Nothing is booked, and nothing will be."""


class ShipmentAlreadyBooked(Event):
    """Too late to cancel: go forward."""


class PaymentRefunded(Event):
    """The money is back, or was never taken and never will be."""


class StockReleased(Event):
    """The item is free again, or was never held and never will be."""


class OrderCancelled(Event):
    """The saga ended by compensation."""
