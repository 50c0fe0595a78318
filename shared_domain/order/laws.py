"""The resources of the order saga: who keeps which balance, and what an ended order must leave there."""

from kernel.resources import MONEY, Pool, Resource

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
