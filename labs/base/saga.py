"""The order saga: one row per step. Read it beside reactions.py and order_saga.asl.json."""

from pathlib import Path

from kernel.saga import Saga
from kernel.steps import Step
from shared_domain.order.laws import ACCEPTS, RESOURCES
from shared_domain.order.messages import (
    BookShipment,
    CancelOrder,
    CancelShipment,
    ChargePayment,
    ConfirmOrder,
    Order,
    OrderCancelled,
    OrderConfirmed,
    OrderExpired,
    OrderPlaced,
    OrderRejected,
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
from shared_domain.order.participants import inventory, order, payment, shipping
from shared_domain.order.reactions import REACTIONS
from shared_domain.order.words import WORDS
from shared_domain.order.workload import WORKLOAD

FOLDER = Path(__file__).parent

PLACE = Step(
    command=PlaceOrder, service="order", done=OrderPlaced, refused=OrderRejected,
    undo=CancelOrder, undone=OrderCancelled,
)  # fmt: skip
RESERVE = Step(
    command=ReserveStock, service="inventory", done=StockReserved, refused=StockRefused, gave_up=StockReservationFailed,
    undo=ReleaseStock, undone=StockReleased,
)  # fmt: skip
CHARGE = Step(
    command=ChargePayment, service="payment", done=PaymentCharged, refused=PaymentDeclined, gave_up=PaymentFailed,
    undo=RefundPayment, undone=PaymentRefunded,
)  # fmt: skip
BOOK = Step(
    command=BookShipment, service="shipping", done=ShipmentBooked, refused=ShipmentRefused, gave_up=ShipmentBookingFailed,
    undo=CancelShipment, undone=ShipmentCancelled, kept=ShipmentAlreadyBooked, pivot=True,
)  # fmt: skip
CONFIRM = Step(command=ConfirmOrder, service="order", done=OrderConfirmed)

SAGA = Saga(
    name=FOLDER.name,
    order=Order,
    variants={"usual": (PLACE, RESERVE, CHARGE, BOOK, CONFIRM)},
    expired=OrderExpired,
    participants={
        "order": order,
        "inventory": inventory,
        "payment": payment,
        "shipping": shipping,
    },
    reactions={"usual": REACTIONS},
    state_machines={"usual": FOLDER / "order_saga.asl.json"},
    resources=RESOURCES,
    accepts=ACCEPTS,
    workload=WORKLOAD,
    words=WORDS,
)
