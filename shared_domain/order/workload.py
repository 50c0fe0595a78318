"""What customers order, and how an order is made refusable at each step."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from kernel.customers import Workload
from shared_domain.order.messages import Order
from shared_domain.order.participants.inventory import stock_up
from shared_domain.order.participants.payment import CARD_LIMIT_CENTS
from shared_domain.order.participants.shipping import UNSERVED

CITIES = ("Oslo", "Lima", "Accra", "Hanoi", "Turin", "Quito")
SOLD_OUT = "sold-out"
"""An item of which there is no stock in any run."""


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
    "PlaceOrder": lambda wanted: replace(wanted, quantity=0),
    "ReserveStock": lambda wanted: replace(wanted, item=SOLD_OUT),
    "ChargePayment": lambda wanted: replace(
        wanted, amount_cents=CARD_LIMIT_CENTS + wanted.amount_cents
    ),
    "BookShipment": lambda wanted: replace(wanted, destination=min(UNSERVED)),
}


def refusable(wanted: Order, operation: str) -> Order:
    """The order, changed so that this step of it is refused."""
    return _REFUSED[operation](wanted) if operation in _REFUSED else wanted


WORKLOAD = Workload(order=order, refusable=refusable, item="book", stock={"inventory": stock_up})
