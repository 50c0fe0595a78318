"""Orders and small helpers for tests."""

from dataclasses import replace

from kernel.environment import Environment
from kernel.guards import Guards
from kernel.inbox import Inbox
from kernel.ledger import Ledger
from kernel.messages import Command
from kernel.outbox import Outbox
from kernel.policy import Policy
from shared_domain.order.messages import Order
from shared_domain.order.saga import SAGA

ORDER = Order(
    order_id="o1",
    customer="ada",
    item="book",
    quantity=2,
    amount_cents=1500,
    destination="Oslo",
)
FAST = Policy(time_scale=0.02)


def order(order_id: str, **changes) -> Order:
    return replace(ORDER, order_id=order_id, **changes)


def command(kind: type[Command], of: Order = ORDER) -> Command:
    return kind(order=of, caused_by=f"{of.order_id}:test")


class FixedClock:
    """A clock that stands at one second."""

    def wall_s(self) -> float:
        return 1.0

    def mono_s(self) -> float:
        return 1.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here may wait")


def environment(**changes) -> Environment:
    """The order saga with every guard on, fast, without faults or spans."""
    return Environment(**{"saga": SAGA, "variant": SAGA.variant, "policy": FAST, **changes})


def inbox(guards: Guards | None = None) -> Inbox:
    guards, clock = guards or Guards.all(), FixedClock()
    outbox = Outbox(codec=SAGA.codec, guards=guards, clock=clock)
    return Inbox(codec=SAGA.codec, guards=guards, ledger=Ledger(clock), outbox=outbox)
