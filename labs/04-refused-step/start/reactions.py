"""The whole choreography on one page: when this happens, that service does this.

Nobody reads this table as a whole at run time. Each service knows only its own lines.
Beside it: order_saga.asl.json, the same flow as one state machine.
"""

from kernel.reactions import Reactions
from shared_domain.order.messages import (
    BookShipment,
    CancelOrder,
    CancelShipment,
    ChargePayment,
    ConfirmOrder,
    OrderExpired,
    OrderPlaced,
    PaymentCharged,
    PaymentDeclined,
    PaymentFailed,
    PaymentRefunded,
    PlaceOrder,
    RefundPayment,
    ReleaseStock,
    ReserveStock,
    ShipmentAlreadyBooked,
    ShipmentBooked,
    ShipmentBookingFailed,
    ShipmentCancelled,
    ShipmentRefused,
    StockRefused,
    StockReleased,
    StockReservationFailed,
    StockReserved,
)

INVENTORY_FIRST: Reactions = {
    # forward
    PlaceOrder: ("order", PlaceOrder),
    OrderPlaced: ("inventory", ReserveStock),
    StockReserved: ("payment", ChargePayment),
    PaymentCharged: ("shipping", BookShipment),
    ShipmentBooked: ("order", ConfirmOrder),
    # refused: undo the steps before it
    StockRefused: ("order", CancelOrder),
    # TODO: the card is declined; the address cannot be delivered to
    # gave up: the outcome is unknown, so undo that step too
    StockReservationFailed: ("inventory", ReleaseStock),
    # TODO: payment gave up; shipping gave up
    # the saga deadline starts the reverse chain at its far end, and shipping's ledger decides
    OrderExpired: ("shipping", CancelShipment),
    ShipmentAlreadyBooked: ("order", ConfirmOrder),
    # the reverse chain: each undo starts the one before it
    # TODO: from the far end, ShipmentCancelled, back to the reserved stock
    StockReleased: ("order", CancelOrder),
}
