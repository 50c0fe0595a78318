"""The resources of the trip saga: who keeps which balance, and what an ended trip must leave there."""

from kernel.resources import MONEY, Pool, Resource

_HELD = Pool(
    table="capacity",
    item="item",
    holds="bookings",
    held={"held": 1, "cancelled": -1},
)

RESOURCES = (
    Resource(
        participant="hotel",
        name="rooms held",
        unit="rooms",
        due=lambda trip: -1,
        pool=_HELD,
        exposure="stock",
        shown=lambda net: str(-net),
    ),
    Resource(
        participant="flight",
        name="seats held",
        unit="seats",
        due=lambda trip: -trip.travellers,
        pool=_HELD,
        shown=lambda net: str(-net),
    ),
    Resource(
        participant="car",
        name="cars held",
        unit="cars",
        due=lambda trip: -1,
        pool=_HELD,
        shown=lambda net: str(-net),
    ),
    Resource(
        participant="payment",
        name="money taken",
        unit=MONEY,
        due=lambda trip: trip.price_cents,
        table="fares",
        rows={"taken_cents": 1, "returned_cents": -1},
        exposure="money",
        shown=lambda net: f"{net / 100:.2f}",
    ),
)
