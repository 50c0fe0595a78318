"""The described flow by events: payment and fulfilment both start when the stock is reserved. There is nowhere to put the Wait."""

from kernel.reactions import Reactions
from shared_domain.order.messages import (
    BookShipment,
    CancelOrder,
    ChargePayment,
    ConfirmOrder,
    OrderPlaced,
    PaymentCharged,
    PaymentDeclined,
    PlaceOrder,
    ReleaseStock,
    ReserveStock,
    ShipmentBooked,
    StockRefused,
    StockReleased,
    StockReserved,
)

REACTIONS: Reactions = {
    PlaceOrder: ("order", PlaceOrder),
    OrderPlaced: ("inventory", ReserveStock),
    # LOOK: the shipment does not follow the charge.
    StockReserved: [("payment", ChargePayment), ("shipping", BookShipment)],
    (PaymentCharged, ShipmentBooked): ("order", ConfirmOrder),
    StockRefused: ("order", CancelOrder),
    PaymentDeclined: ("inventory", ReleaseStock),
    StockReleased: ("order", CancelOrder),
}
