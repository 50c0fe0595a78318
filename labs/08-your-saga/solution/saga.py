"""The saga: one row per step, from which everything else about its shape is derived."""

from pathlib import Path

from kernel.saga import Saga
from kernel.steps import Step

from . import courier, desk, store, till
from .laws import ACCEPTS, RESOURCES
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
    Order,
    OrderCancelled,
    OrderClosed,
    OrderExpired,
    OrderOpened,
    OrderRejected,
    PaymentFailed,
    PaymentVoided,
    SoldOut,
    TakeMoney,
    VoidPayment,
)
from .reactions import REACTIONS
from .words import WORDS
from .workload import WORKLOAD

FOLDER = Path(__file__).parent

ROWS = (
    Step(
        command=OpenOrder,
        service="desk",
        done=OrderOpened,
        refused=OrderRejected,
        undo=CancelOrder,
        undone=OrderCancelled,
    ),
    Step(
        command=HoldItem,
        service="store",
        done=ItemHeld,
        refused=SoldOut,
        gave_up=HoldFailed,
        undo=FreeItem,
        undone=ItemFreed,
    ),
    Step(
        command=BookCourier,
        service="courier",
        done=CourierBooked,
        refused=NoCourier,
        gave_up=CourierFailed,
        undo=CallOffCourier,
        undone=CourierCalledOff,
    ),
    Step(
        command=TakeMoney,
        service="till",
        done=MoneyTaken,
        refused=CardDeclined,
        gave_up=PaymentFailed,
        undo=VoidPayment,
        undone=PaymentVoided,
        kept=AlreadyPaid,
        pivot=True,
    ),
    Step(command=CloseOrder, service="desk", done=OrderClosed),
)

SAGA = Saga(
    name=FOLDER.name,
    order=Order,
    variants={"usual": ROWS},
    expired=OrderExpired,
    participants={"desk": desk, "store": store, "courier": courier, "till": till},
    reactions={"usual": REACTIONS},
    state_machines={"usual": FOLDER / "saga.asl.json"},
    resources=RESOURCES,
    accepts=ACCEPTS,
    workload=WORKLOAD,
    words=WORDS,
)
