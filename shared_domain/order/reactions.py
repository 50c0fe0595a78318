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
    PaymentDeclined: ("inventory", ReleaseStock),
    ShipmentRefused: ("payment", RefundPayment),
    # gave up: the outcome is unknown, so undo that step too
    StockReservationFailed: ("inventory", ReleaseStock),
    PaymentFailed: ("payment", RefundPayment),
    ShipmentBookingFailed: ("shipping", CancelShipment),
    # LOOK: the saga deadline starts the reverse chain at its far end, and shipping's ledger decides.
    OrderExpired: ("shipping", CancelShipment),
    ShipmentAlreadyBooked: ("order", ConfirmOrder),
    # the reverse chain
    ShipmentCancelled: ("payment", RefundPayment),
    PaymentRefunded: ("inventory", ReleaseStock),
    StockReleased: ("order", CancelOrder),
}

PAYMENT_FIRST: Reactions = INVENTORY_FIRST | {
    OrderPlaced: ("payment", ChargePayment),
    PaymentCharged: ("inventory", ReserveStock),
    StockReserved: ("shipping", BookShipment),
    PaymentDeclined: ("order", CancelOrder),
    StockRefused: ("payment", RefundPayment),
    ShipmentRefused: ("inventory", ReleaseStock),
    ShipmentCancelled: ("inventory", ReleaseStock),
    StockReleased: ("payment", RefundPayment),
    PaymentRefunded: ("order", CancelOrder),
}

PARALLEL: Reactions = {
    PlaceOrder: ("order", PlaceOrder),
    # fan-out: two services hear one event
    OrderPlaced: [("inventory", ReserveStock), ("payment", ChargePayment)],
    # join: shipping remembers what it heard first, and books when it has heard both
    (StockReserved, PaymentCharged): ("shipping", BookShipment),
    ShipmentBooked: ("order", ConfirmOrder),
    # LOOK: one is refused or gives up: undo the other, even if its answer comes later (then it meets a tombstone)
    StockRefused: ("payment", RefundPayment),
    PaymentDeclined: ("inventory", ReleaseStock),
    StockReservationFailed: [("inventory", ReleaseStock), ("payment", RefundPayment)],
    PaymentFailed: [("payment", RefundPayment), ("inventory", ReleaseStock)],
    # past both: undo both
    ShipmentRefused: [("payment", RefundPayment), ("inventory", ReleaseStock)],
    ShipmentBookingFailed: ("shipping", CancelShipment),
    OrderExpired: ("shipping", CancelShipment),
    ShipmentAlreadyBooked: ("order", ConfirmOrder),
    ShipmentCancelled: [("payment", RefundPayment), ("inventory", ReleaseStock)],
    # join: the order is cancelled when neither stock nor money is held any more
    (StockRefused | StockReleased, PaymentDeclined | PaymentRefunded): ("order", CancelOrder),
}
