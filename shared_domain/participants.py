"""The four participants of one run, assembled over one folder: the same program under both styles."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from shared_domain import exactly_once
from shared_domain.database import Database
from shared_domain.exactly_once import ExactlyOnce
from shared_domain.guards import Guards
from shared_domain.inventory import store as inventory_store
from shared_domain.inventory.service import InventoryService
from shared_domain.order import store as order_store
from shared_domain.order.service import OrderService
from shared_domain.participant import Participant
from shared_domain.payment import store as payment_store
from shared_domain.payment.service import PaymentService
from shared_domain.policy import Policy
from shared_domain.ports import Clock, Faults, Ledgers, Tracer
from shared_domain.shipping import store as shipping_store
from shared_domain.shipping.service import ShippingService

NAMES = ("order", "inventory", "payment", "shipping")
_STORES = {
    "order": order_store,
    "inventory": inventory_store,
    "payment": payment_store,
    "shipping": shipping_store,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Participants:
    """The four doors, and what the order service does by itself."""

    doors: dict[str, Participant]
    orders: OrderService
    once: ExactlyOnce

    async def ledgers(self) -> Ledgers:
        """Every participant's ledger and business rows."""
        return {
            name: {
                table: await door.database.read(
                    lambda tx, t=table: tx.all(f"SELECT * FROM {t} ORDER BY rowid")  # type: ignore[misc]
                )
                for table in ("ledger", *_STORES[name].TABLES)
            }
            for name, door in self.doors.items()
        }

    async def statuses(self) -> dict[str, str]:
        """order_id -> status, as the order service knows it."""
        return await self.doors["order"].database.read(order_store.statuses)

    async def status(self, order_id: str) -> str:
        """The status of one order, as the order service knows it; UNKNOWN if it was never placed."""
        return await self.doors["order"].database.read(lambda tx: order_store.status(tx, order_id))

    async def stock_up(self, stock: dict[str, int]) -> None:
        """Set the initial stock of a run."""
        await self.doors["inventory"].database.write(lambda tx: inventory_store.stock_up(tx, stock))


@asynccontextmanager
async def open_participants(
    folder: Path,
    *,
    policy: Policy,
    guards: Guards,
    faults: Faults,
    tracer: Tracer,
    clock: Clock,
    durability: str,
) -> AsyncIterator[Participants]:
    """Open one database per participant in `folder`, and close them at the end."""
    once = ExactlyOnce(guards=guards, clock=clock)
    orders = OrderService(once=once, clock=clock)
    handles = {
        "order": orders.handle,
        "inventory": InventoryService(once=once).handle,
        "payment": PaymentService(once=once).handle,
        "shipping": ShippingService(once=once).handle,
    }
    async with AsyncExitStack() as stack:
        doors = {}
        for name in NAMES:
            database = await stack.enter_async_context(
                Database.open(
                    folder / f"{name}.sqlite",
                    schema=exactly_once.SCHEMA + _STORES[name].SCHEMA,
                    durability=durability,
                )
            )
            doors[name] = Participant(
                name=name,
                database=database,
                handle=handles[name],
                faults=faults,
                tracer=tracer,
                deadline_s=policy.step_s() if guards.timeouts else None,
            )
        yield Participants(doors=doors, orders=orders, once=once)
