"""What travellers ask for, and how a trip is made refusable at each step."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from kernel.customers import Variation, Workload
from shared_domain.trip.laws import CARD_LIMIT_CENTS, DESK_CLOSES_H
from shared_domain.trip.messages import Trip
from shared_domain.trip.participants.holding import stock_up

FULL = "full"
"""A hotel, flight or kind of car of which nothing is left in any run."""
PLACES = ("Lisbon ", "lisbon", "Lisboa", "\u00c5lesund")
"""Further places, whose names are easily taken for each other."""
_CENTS = (1, 32_767, 32_768, 65_536, CARD_LIMIT_CENTS - 1, CARD_LIMIT_CENTS)
_NAMES = (
    "Zo\u00eb \u00c5ngstr\u00f6m",
    "O'Brien; --",
    "\u674e\u5c0f\u9f8d",
    '"quoted"',
    "\U0001f9f3",
)


def trip(index: int, *, n: int, chance: Random, item: str) -> Trip:
    """The trip of this index among `n`: hotel, flight and car are all at one place."""
    return Trip(
        order_id=f"trip-{index:05d}",
        traveller=f"traveller-{chance.randrange(10 * n):05d}",
        hotel=item,
        flight=item,
        car=item,
        travellers=chance.randrange(1, 4),
        price_cents=chance.randrange(20_000, 200_000),
    )


_REFUSED: dict[str, Callable[[Trip], Trip]] = {
    "OpenTrip": lambda wanted: replace(wanted, travellers=0),
    "ReserveHotel": lambda wanted: replace(wanted, hotel=FULL),
    "ReserveFlight": lambda wanted: replace(wanted, flight=FULL),
    "ReserveCar": lambda wanted: replace(wanted, car=FULL),
    "TakePayment": lambda wanted: replace(
        wanted, price_cents=CARD_LIMIT_CENTS + wanted.price_cents
    ),
    "ConfirmHotel": lambda wanted: replace(wanted, arrives_h=DESK_CLOSES_H),
    "ConfirmFlight": lambda wanted: replace(wanted, passport="expired"),
}


def refusable(wanted: Trip, operation: str) -> Trip:
    """The trip, changed so that this step of it is refused."""
    return _REFUSED[operation](wanted) if operation in _REFUSED else wanted


def _elsewhere(wanted: Trip, chance: Random) -> Trip:
    """Hotel, flight and car need not be at one place."""
    hotel, flight, car = (chance.choice((wanted.hotel, *PLACES)) for _ in range(3))
    return replace(wanted, hotel=hotel, flight=flight, car=car)


VARY = {
    "travellers": Variation(
        change=lambda wanted, chance: replace(wanted, travellers=chance.randint(1, 5)),
        of_stock=True,
    ),
    "places": Variation(change=_elsewhere, of_stock=True),
    "prices": Variation(
        change=lambda wanted, chance: replace(wanted, price_cents=chance.choice(_CENTS))
    ),
    "hours": Variation(
        change=lambda wanted, chance: replace(
            wanted, arrives_h=chance.choice((0, DESK_CLOSES_H - 1))
        )
    ),
    "texts": Variation(
        change=lambda wanted, chance: replace(wanted, traveller=chance.choice(_NAMES))
    ),
    "customers": Variation(
        change=lambda wanted, chance: replace(wanted, traveller=f"traveller-{chance.randrange(2)}")
    ),
}
WORKLOAD = Workload(
    order=trip,
    refusable=refusable,
    item="Lisbon",
    stock={"hotel": stock_up, "flight": stock_up, "car": stock_up},
    vary=VARY,
    items=PLACES,
)
