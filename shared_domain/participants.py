"""The four participants of one run, assembled over one folder: the same program under both styles."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from shared_domain import exactly_once
from shared_domain.database import Database
from shared_domain.exactly_once import ExactlyOnce
from shared_domain.guards import Guards
from shared_domain.inventory import model as inventory_model
from shared_domain.inventory import store as inventory_store
from shared_domain.inventory.service import InventoryService
from shared_domain.memory_files import File, Folder
from shared_domain.messages import Command
from shared_domain.order import model as order_model
from shared_domain.order import store as order_store
from shared_domain.order.service import OrderService
from shared_domain.participant import Participant
from shared_domain.payment import model as payment_model
from shared_domain.payment import store as payment_store
from shared_domain.payment.service import PaymentService
from shared_domain.policy import Policy
from shared_domain.ports import Clock, Faults, Ledgers, Tracer
from shared_domain.shipping import model as shipping_model
from shared_domain.shipping import store as shipping_store
from shared_domain.shipping.service import ShippingService

NAMES = ("order", "inventory", "payment", "shipping")
_COMMANDS: dict[str, Iterable[type[Command]]] = {
    "order": order_model.RULES,
    "inventory": inventory_model.RULES,
    "payment": payment_model.RULES,
    "shipping": shipping_model.RULES,
}
SERVED_BY = {command.__name__: name for name, served in _COMMANDS.items() for command in served}
"""Operation -> the participant that carries it out."""
_STORES = {
    "order": order_store,
    "inventory": inventory_store,
    "payment": payment_store,
    "shipping": shipping_store,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Participants:
    """The four doors, and what can be read of all of them together."""

    doors: dict[str, Participant]

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

    async def free(self, item: str) -> int:
        """The free units of an item, as the inventory service knows them."""
        return await self.doors["inventory"].database.read(
            lambda tx: inventory_store.free(tx, item)
        )

    async def holders(self, item: str) -> list[str]:
        """The orders that hold units of an item, as the inventory service knows them."""
        return await self.doors["inventory"].database.read(
            lambda tx: inventory_store.holders(tx, item)
        )

    async def redeliveries(self) -> int:
        """How often a message came again without an ack, over all participants."""
        sql = "SELECT coalesce(sum(times), 0) AS n FROM redeliveries"
        rows = [await d.database.read(lambda tx: tx.one(sql)) for d in self.doors.values()]
        return sum(row["n"] for row in rows if row)

    async def stock_up(self, stock: dict[str, int]) -> None:
        """Set the initial stock of a run."""
        await self.doors["inventory"].database.write(lambda tx: inventory_store.stock_up(tx, stock))


@asynccontextmanager
async def open_participant(
    name: str,
    path: File,
    *,
    policy: Policy,
    guards: Guards,
    faults: Faults,
    tracer: Tracer,
    clock: Clock,
    durability: str,
) -> AsyncIterator[Participant]:
    """One of the four, over its database at `path`, which is made if it is new."""
    once = ExactlyOnce(guards=guards, clock=clock)
    handles = {
        "order": OrderService(once=once, clock=clock).handle,
        "inventory": InventoryService(once=once).handle,
        "payment": PaymentService(once=once).handle,
        "shipping": ShippingService(once=once).handle,
    }
    schema = exactly_once.SCHEMA + _STORES[name].SCHEMA
    async with Database.open(path, schema=schema, durability=durability) as database:
        yield Participant(
            name=name,
            database=database,
            handle=handles[name],
            once=once,
            faults=faults,
            tracer=tracer,
            deadline_s=policy.step_s() if guards.timeouts else None,
        )


@asynccontextmanager
async def open_participants(
    folder: Folder,
    *,
    policy: Policy,
    guards: Guards,
    faults: Faults,
    tracer: Tracer,
    clock: Clock,
    durability: str,
) -> AsyncIterator[Participants]:
    """All four, each over its own database in `folder`."""
    async with AsyncExitStack() as stack:
        doors = {
            name: await stack.enter_async_context(
                open_participant(
                    name,
                    database_path(folder, name),
                    policy=policy,
                    guards=guards,
                    faults=faults,
                    tracer=tracer,
                    clock=clock,
                    durability=durability,
                )
            )
            for name in NAMES
        }
        yield Participants(doors=doors)


def database_path(folder: Folder, name: str) -> File:
    """Where a participant's database lies in a run's folder."""
    return folder / f"{name}.sqlite"
