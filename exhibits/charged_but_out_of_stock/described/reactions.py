"""The event-routed checkout on one page: whoever is interested in an order hears of it, and nobody hears that something went wrong."""

from kernel.reactions import Reactions
from shared_domain.order.messages import (
    BookShipment,
    ChargePayment,
    ConfirmOrder,
    OrderPlaced,
    PaymentCharged,
    PlaceOrder,
    ReserveStock,
    ShipmentBooked,
    StockReserved,
)

REACTIONS: Reactions = {
    PlaceOrder: ("order", PlaceOrder),
    # LOOK: the charge does not wait for the stock, and nothing waits for a refusal.
    OrderPlaced: [("inventory", ReserveStock), ("payment", ChargePayment)],
    (StockReserved, PaymentCharged): ("shipping", BookShipment),
    ShipmentBooked: ("order", ConfirmOrder),
}
