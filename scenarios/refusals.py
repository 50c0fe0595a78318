"""How a plan makes a participant refuse: by what the customer orders, never by a switch in the participant."""

from dataclasses import replace

from shared_domain.messages import (
    Event,
    Order,
    OrderRejected,
    PaymentDeclined,
    ShipmentRefused,
    StockRefused,
)
from shared_domain.payment.model import CARD_LIMIT_CENTS
from shared_domain.shipping.model import UNSERVED

SOLD_OUT = "sold-out"
"""An item of which there is no stock in any run."""
_REFUSALS = (OrderRejected, StockRefused, PaymentDeclined, ShipmentRefused)


def refusable(order: Order, operation: str) -> Order:
    """The order, changed so that this step of it is refused."""
    match operation:
        case "PlaceOrder":
            return replace(order, quantity=0)
        case "ReserveStock":
            return replace(order, item=SOLD_OUT)
        case "ChargePayment":
            return replace(order, amount_cents=CARD_LIMIT_CENTS + order.amount_cents)
        case "BookShipment":
            return replace(order, destination=min(UNSERVED))
    return order


def is_refusal(event: Event) -> bool:
    """Whether a participant has said no for a business reason."""
    return isinstance(event, _REFUSALS)
