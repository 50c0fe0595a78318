"""The resources: who keeps which balance, what an ended order must leave there, and what is refused. The judge compares them with the ledgers."""

from collections.abc import Callable, Mapping

from kernel.resources import MONEY, Pool, Resource

from .messages import Order
from .till import CARD_LIMIT_CENTS

RESOURCES = (
    Resource(
        participant="courier",
        name="couriers booked",
        unit="rides",
        due=lambda order: 1,
        table="rides",
        rows={"booked": 1, "called_off": -1},
    ),
    Resource(
        participant="store",
        name="items held",
        unit="pieces",
        due=lambda order: -1,
        pool=Pool(
            table="shelf",
            item="item",
            holds="holds",
            held={"held": 1, "freed": -1},
            of=lambda order: order.item,
        ),
        exposure="stock",
        shown=lambda net: str(-net),
    ),
    Resource(
        participant="till",
        name="money taken",
        unit=MONEY,
        due=lambda order: order.price_cents,
        table="payments",
        rows={"taken_cents": 1},
        exposure="money",
        shown=lambda net: f"{net / 100:.2f}",
    ),
)
ACCEPTS: Mapping[str, Callable[[Order], bool]] = {
    "OpenOrder": lambda order: order.price_cents >= 1,
    "TakeMoney": lambda order: order.price_cents <= CARD_LIMIT_CENTS,
}
