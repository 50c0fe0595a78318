"""The resources of the order saga: who keeps which balance, what an ended order must leave there, and what is refused."""

from collections.abc import Callable, Mapping

from kernel.resources import MONEY, Pool, Resource
from shared_domain.order.messages import Order

RESOURCES = (
    Resource(
        participant="inventory",
        name="stock held",
        unit="units",
        due=lambda order: -order.quantity,
        pool=Pool(
            table="stock",
            item="item",
            holds="reservations",
            held={"reserved": 1, "released": -1},
            of=lambda order: order.item,
        ),
        exposure="stock",
        shown=lambda net: str(-net),
    ),
    Resource(
        participant="payment",
        name="money taken",
        unit=MONEY,
        due=lambda order: order.amount_cents,
        table="payments",
        rows={"charged_cents": 1, "refunded_cents": -1},
        exposure="money",
        shown=lambda net: f"{net / 100:.2f}",
    ),
    Resource(
        participant="shipping",
        name="parcels",
        unit="parcels",
        due=lambda order: 1,
        table="shipments",
        rows={"booked": 1},
    ),
)
CARD_LIMIT_CENTS = 100_000
UNSERVED = frozenset({"Atlantis"})
"""What was agreed upon; the participants have their own constants, which may be wrong."""
ACCEPTS: Mapping[str, Callable[[Order], bool]] = {
    "PlaceOrder": lambda order: order.quantity >= 1 and order.amount_cents >= 1,
    "ChargePayment": lambda order: order.amount_cents <= CARD_LIMIT_CENTS,
    "BookShipment": lambda order: order.destination not in UNSERVED,
}
