"""The saga deadline of the choreography: the order service notices that an order has been open too long."""

from shared_domain.database import Database
from shared_domain.order.service import OrderService
from shared_domain.policy import Policy
from shared_domain.ports import Clock


async def watch_deadlines(
    *, orders: OrderService, database: Database, policy: Policy, clock: Clock
) -> None:
    """Publish OrderExpired for every order that outlives the saga deadline, until cancelled."""
    while True:
        await clock.sleep(policy.saga_s() / 20)
        await database.write(lambda tx: orders.expire(tx, deadline_s=policy.saga_s()))
