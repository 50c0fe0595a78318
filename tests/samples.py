"""Orders and small helpers for tests."""

from dataclasses import replace

from shared_domain.exactly_once import ExactlyOnce
from shared_domain.guards import Guards
from shared_domain.messages import Command, Order
from shared_domain.policy import Policy

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


def once(guards: Guards | None = None) -> ExactlyOnce:
    return ExactlyOnce(guards=guards or Guards.all(), clock=FixedClock())
