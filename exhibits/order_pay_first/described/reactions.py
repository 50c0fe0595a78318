"""The described flow by events: whatever a step says but *done*, its own compensation follows."""

from kernel.reactions import Reactions
from shared_domain.order.messages import (
    CancelShipment,
    PaymentDeclined,
    RefundPayment,
    ReleaseStock,
    ShipmentAlreadyBooked,
    ShipmentRefused,
    StockRefused,
)
from shared_domain.order.reactions import INVENTORY_FIRST as ORDER_INVENTORY_FIRST
from shared_domain.order.reactions import PAYMENT_FIRST as ORDER_PAYMENT_FIRST

_FAILED_STEP: Reactions = {
    PaymentDeclined: ("payment", RefundPayment),
    StockRefused: ("inventory", ReleaseStock),
    ShipmentRefused: ("shipping", CancelShipment),
}
PAYMENT_FIRST: Reactions = (
    ORDER_PAYMENT_FIRST
    | _FAILED_STEP
    | {
        ShipmentAlreadyBooked: ("inventory", ReleaseStock),
    }
)
INVENTORY_FIRST: Reactions = (
    ORDER_INVENTORY_FIRST
    | _FAILED_STEP
    | {
        ShipmentAlreadyBooked: ("payment", RefundPayment),
    }
)
