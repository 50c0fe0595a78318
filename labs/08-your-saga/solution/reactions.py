"""The choreography on one page: when this happens, that service does this. Beside it: saga.asl.json, the same as a state machine."""

from kernel.reactions import Reactions

from .messages import (
    AlreadyPaid,
    BookCourier,
    CallOffCourier,
    CancelOrder,
    CardDeclined,
    CloseOrder,
    CourierBooked,
    CourierCalledOff,
    CourierFailed,
    FreeItem,
    HoldFailed,
    HoldItem,
    ItemFreed,
    ItemHeld,
    MoneyTaken,
    NoCourier,
    OpenOrder,
    OrderExpired,
    OrderOpened,
    PaymentFailed,
    PaymentVoided,
    SoldOut,
    TakeMoney,
    VoidPayment,
)

REACTIONS: Reactions = {
    # forward
    OpenOrder: ("desk", OpenOrder),
    OrderOpened: ("store", HoldItem),
    ItemHeld: ("courier", BookCourier),
    CourierBooked: ("till", TakeMoney),
    MoneyTaken: ("desk", CloseOrder),
    # refused: undo the steps before it
    SoldOut: ("desk", CancelOrder),
    NoCourier: ("store", FreeItem),
    CardDeclined: ("courier", CallOffCourier),
    # gave up: the outcome is unknown, so undo that step too
    HoldFailed: ("store", FreeItem),
    CourierFailed: ("courier", CallOffCourier),
    PaymentFailed: ("till", VoidPayment),
    # the saga deadline starts the way back at its far end, and the till decides
    OrderExpired: ("till", VoidPayment),
    AlreadyPaid: ("desk", CloseOrder),
    # the way back
    PaymentVoided: ("courier", CallOffCourier),
    CourierCalledOff: ("store", FreeItem),
    ItemFreed: ("desk", CancelOrder),
}
