"""Every command and event of the saga, and what a customer asks for.

A message carries the whole order, so that no participant has to ask another one for it.
"""

from dataclasses import dataclass

from kernel.messages import Command, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the customer wants. `order_id` is chosen by the client and names the saga: every saga needs that field."""

    order_id: str
    customer: str
    item: str
    price_cents: int
    street: str = "High Street"


class BookCourier(Command):
    """Book a courier who brings the cake."""


class CallOffCourier(Command):
    """Undo BookCourier."""


class CourierBooked(Event):
    """A courier will come."""


class NoCourier(Event):
    """Refused: nobody delivers there."""


class CourierFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class CourierCalledOff(Event):
    """No courier will come: he was called off, or was never booked and never will be."""


class OpenOrder(Command):
    """Open the order as PENDING."""


class HoldItem(Command):
    """Hold the item for this order."""


class TakeMoney(Command):
    """Take the customer's money: the pivot, after which the saga only goes forward."""


class CloseOrder(Command):
    """The order is done."""


class VoidPayment(Command):
    """Make sure that no money is taken, or learn that it already is."""


class FreeItem(Command):
    """Undo HoldItem."""


class CancelOrder(Command):
    """Undo OpenOrder."""


class OrderOpened(Event):
    """The order is PENDING."""


class OrderRejected(Event):
    """Refused: nothing was opened."""


class ItemHeld(Event):
    """The item is held."""


class SoldOut(Event):
    """Refused: none is left."""


class HoldFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class MoneyTaken(Event):
    """The money is taken: from here only forward."""


class CardDeclined(Event):
    """Refused: the card was declined."""


class PaymentFailed(Event):
    """Gave up: retry budget spent, outcome unknown to the others."""


class OrderClosed(Event):
    """The saga ended well."""


class OrderExpired(Event):
    """The saga deadline passed while the order was PENDING."""


class PaymentVoided(Event):
    """No money is taken, and none will be."""


class AlreadyPaid(Event):
    """Too late to void: go forward."""


class ItemFreed(Event):
    """The item is free again, or was never held and never will be."""


class OrderCancelled(Event):
    """The saga ended by compensation."""
