"""The resources of the trip saga: who keeps which balance, what an ended trip must leave there, and what is refused."""

from collections.abc import Callable, Mapping

from kernel.resources import MONEY, Pool, Resource
from shared_domain.trip.messages import Trip


def _held(of: Callable[[Trip], str]) -> Pool:
    return Pool(
        table="capacity", item="item", holds="bookings", held={"held": 1, "cancelled": -1}, of=of
    )


_COUNTS = {
    "confirmed": ("ConfirmHotel", "ConfirmFlight"),
    "withdrawn": ("WithdrawHotel", "WithdrawFlight"),
}

RESOURCES = (
    Resource(
        participant="hotel",
        name="rooms held",
        unit="rooms",
        due=lambda trip: -1,
        pool=_held(lambda trip: trip.hotel),
        counts=_COUNTS,
        exposure="stock",
        shown=lambda net: str(-net),
    ),
    Resource(
        participant="flight",
        name="seats held",
        unit="seats",
        due=lambda trip: -trip.travellers,
        pool=_held(lambda trip: trip.flight),
        counts=_COUNTS,
        shown=lambda net: str(-net),
    ),
    Resource(
        participant="car",
        name="cars held",
        unit="cars",
        due=lambda trip: -1,
        pool=_held(lambda trip: trip.car),
        counts=_COUNTS,
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
VALID, DESK_CLOSES_H, CARD_LIMIT_CENTS = "valid", 23, 500_000
"""What was agreed upon; the participants have their own constants, which may be wrong."""
ACCEPTS: Mapping[str, Callable[[Trip], bool]] = {
    "OpenTrip": lambda trip: trip.travellers >= 1,
    "TakePayment": lambda trip: trip.price_cents <= CARD_LIMIT_CENTS,
    "ConfirmHotel": lambda trip: trip.arrives_h < DESK_CLOSES_H,
    "ConfirmFlight": lambda trip: trip.passport == VALID,
}
