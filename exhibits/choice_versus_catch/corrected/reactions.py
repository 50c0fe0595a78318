"""The corrected choreography on one page. Beside it: saga.asl.json, the same flow as one state machine."""

from kernel.reactions import Reactions
from shared_domain.order.messages import (
    CancelOrder,
    ChargePayment,
    ConfirmOrder,
    OrderPlaced,
    PaymentCharged,
    PaymentDeclined,
    PaymentFailed,
    PaymentRefunded,
    PlaceOrder,
    RefundPayment,
    ReleaseStock,
    ReserveStock,
    StockRefused,
    StockReleased,
    StockReservationFailed,
    StockReserved,
)

REACTIONS: Reactions = {
    PlaceOrder: ("order", PlaceOrder),
    OrderPlaced: ("inventory", ReserveStock),
    StockReserved: ("payment", ChargePayment),
    PaymentCharged: ("order", ConfirmOrder),
    # refused: what a Choice sees as 404 and 402
    StockRefused: ("order", CancelOrder),
    PaymentDeclined: ("inventory", ReleaseStock),
    # gave up: what a Catch sees; the outcome is unknown, so undo that step too
    StockReservationFailed: ("inventory", ReleaseStock),
    PaymentFailed: ("payment", RefundPayment),
    # the reverse chain
    PaymentRefunded: ("inventory", ReleaseStock),
    StockReleased: ("order", CancelOrder),
}
