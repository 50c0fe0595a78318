"""What customers order, and how an order is made refusable at each step."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from kernel.customers import Variation, Workload
from shared_domain.order.laws import CARD_LIMIT_CENTS, UNSERVED
from shared_domain.order.messages import Order
from shared_domain.order.participants.inventory import stock_up

CITIES = ("Oslo", "Lima", "Accra", "Hanoi", "Turin", "Quito")
SOLD_OUT = "sold-out"
"""An item of which there is no stock in any run."""
ITEMS = ("books", "Book", "b\u00f8ker", "boo")
"""Further items, whose names are easily taken for each other."""
_CENTS = (1, 2, 32_767, 32_768, 65_535, 65_536, CARD_LIMIT_CENTS - 1, CARD_LIMIT_CENTS)
"""At and around every limit: of the smallest order, of small integers, of the card."""
_NAMES = (
    "Zo\u00eb \u00c5ngstr\u00f6m",
    "O'Brien; --",
    "\u674e\u5c0f\u9f8d",
    "\u0639\u0645\u0631",
    '"quoted"',
    "\U0001f4da reader",
)
_PLACES = (
    "\u00c5lesund",
    "S\u00e3o Paulo",
    "\u0391\u03b8\u03ae\u03bd\u03b1",
    "Atlantis City",
    "atlantis",
)


def order(index: int, *, n: int, chance: Random, item: str) -> Order:
    """The order of this index among `n`."""
    return Order(
        order_id=f"order-{index:05d}",
        customer=f"customer-{chance.randrange(10 * n):05d}",
        item=item,
        quantity=1,
        amount_cents=chance.randrange(500, 20_000),
        destination=chance.choice(CITIES),
    )


_REFUSED: dict[str, Callable[[Order], Order]] = {
    "PlaceOrder": lambda wanted: (
        replace(wanted, quantity=0) if wanted.amount_cents % 2 else replace(wanted, amount_cents=0)
    ),
    "ReserveStock": lambda wanted: replace(wanted, item=SOLD_OUT),
    "ChargePayment": lambda wanted: replace(
        wanted, amount_cents=CARD_LIMIT_CENTS + wanted.amount_cents
    ),
    "BookShipment": lambda wanted: replace(wanted, destination=min(UNSERVED)),
}


def refusable(wanted: Order, operation: str) -> Order:
    """The order, changed so that this step of it is refused."""
    return _REFUSED[operation](wanted) if operation in _REFUSED else wanted


VARY = {
    "quantities": Variation(
        change=lambda wanted, chance: replace(wanted, quantity=chance.randint(1, 5)), of_stock=True
    ),
    "items": Variation(
        change=lambda wanted, chance: replace(wanted, item=chance.choice((wanted.item, *ITEMS))),
        of_stock=True,
    ),
    "amounts": Variation(
        change=lambda wanted, chance: replace(wanted, amount_cents=chance.choice(_CENTS))
    ),
    "texts": Variation(
        change=lambda wanted, chance: replace(
            wanted,
            customer=chance.choice(_NAMES),
            destination=chance.choice(_PLACES),
            note=chance.choice(("", "\u2713 for Ada\n")),
        )
    ),
    "customers": Variation(
        change=lambda wanted, chance: replace(wanted, customer=f"customer-{chance.randrange(2)}")
    ),
}
WORKLOAD = Workload(
    order=order,
    refusable=refusable,
    item="book",
    stock={"inventory": stock_up},
    vary=VARY,
    items=ITEMS,
)
