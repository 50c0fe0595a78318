"""What customers ask for, and how an order is made refusable at each step: by what is asked for, never by a switch."""

from dataclasses import replace
from random import Random

from kernel.customers import Workload

from .courier import UNSERVED
from .messages import Order
from .store import stock_up
from .till import CARD_LIMIT_CENTS


def order(index: int, *, n: int, chance: Random, item: str) -> Order:
    """The order of this index among `n`."""
    return Order(
        order_id=f"order-{index:05d}",
        customer=f"customer-{chance.randrange(10 * n):05d}",
        item=item,
        price_cents=chance.randrange(500, 20_000),
    )


def refusable(wanted: Order, operation: str) -> Order:
    """The order, changed so that this step of it is refused."""
    refused = {
        "OpenOrder": replace(wanted, price_cents=0),
        "HoldItem": replace(wanted, item="sold-out"),
        "BookCourier": replace(wanted, street=UNSERVED),
        "TakeMoney": replace(wanted, price_cents=CARD_LIMIT_CENTS + wanted.price_cents),
    }
    return refused.get(operation, wanted)


WORKLOAD = Workload(order=order, refusable=refusable, item="book", stock={"store": stock_up})
