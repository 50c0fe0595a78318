"""The participants of one run, running_system over one folder: the same program under every style."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kernel import inbox, joins, ledger, orders, outbox, parked
from kernel.alone import alone
from kernel.database import Database
from kernel.environment import Environment
from kernel.memory_files import File, Folder
from kernel.participant import Participant
from kernel.ports import Ledgers
from kernel.saga import Saga

SCHEMA = ledger.SCHEMA + inbox.SCHEMA + outbox.SCHEMA + parked.SCHEMA + joins.SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Participants:
    """All participants of a saga, and what can be read of them together."""

    saga: Saga
    by_name: dict[str, Participant]

    async def ledgers(self) -> Ledgers:
        """Every participant's ledger, the answers in its inbox, what it has left to an operator, and its business rows."""
        return {
            name: {
                table: await participant.database.read(
                    lambda tx, t=table, key=key: tx.all(f"SELECT * FROM {t} ORDER BY {key}")  # type: ignore[misc]
                )
                for table, key in (
                    ("ledger", "seq"),
                    ("inbox", "message_id"),
                    ("parked", "message_id"),
                    *((table, "rowid") for table in self.saga.participants[name].TABLES),
                )
            }
            for name, participant in self.by_name.items()
        }

    async def statuses(self) -> dict[str, str]:
        """order_id -> status, as the participant that opens sagas knows it."""
        return await self.by_name[self.saga.opener].database.read(orders.statuses)

    async def status(self, order_id: str) -> str:
        """The status of one order; UNKNOWN if it was never placed."""
        opener = self.by_name[self.saga.opener].database
        return await opener.read(lambda tx: orders.status(tx, order_id))

    async def redeliveries(self) -> int:
        """How often a message came again without an ack, over all participants."""
        sql = "SELECT coalesce(sum(times), 0) AS n FROM redeliveries"
        rows = [await d.database.read(lambda tx: tx.one(sql)) for d in self.by_name.values()]
        return sum(row["n"] for row in rows if row)

    async def stock_up(self, stock: Mapping[str, int]) -> None:
        """Set the initial units of a run, item -> units, at every participant that keeps some."""
        for name, write in self.saga.workload.stock.items():
            await self.by_name[name].database.write(lambda tx, w=write: w(tx, stock))  # type: ignore[misc]


@asynccontextmanager
async def open_participant(
    name: str, path: Path, environment: Environment
) -> AsyncIterator[Participant]:
    """One participant that serves alone, over its database at `path`, which is made if it is new.

    Raise UsageError if another one serves over it.
    """
    busy = f"another participant works on {path}: give each a database of its own"
    with alone(path.with_name(f".{path.name}.lock"), busy=busy):
        async with _over(name, path, environment) as participant:
            yield participant


@asynccontextmanager
async def _over(name: str, path: File, environment: Environment) -> AsyncIterator[Participant]:
    saga = environment.saga
    schema = "".join(
        (SCHEMA, saga.participants[name].SCHEMA, *(own.SCHEMA for own in saga.supplies))
    )
    async with Database.open(path, schema=schema, durability=environment.durability) as database:
        yield Participant(name, database, environment)


@asynccontextmanager
async def open_participants(
    folder: Folder, environment: Environment
) -> AsyncIterator[Participants]:
    """All participants, each over its own database in `folder`. Where processes of their own serve, this only looks on."""
    async with AsyncExitStack() as stack:
        by_name = {
            name: await stack.enter_async_context(
                _over(name, database_path(folder, name), environment)
            )
            for name in environment.saga.services
        }
        yield Participants(saga=environment.saga, by_name=by_name)


def database_path(folder: Folder, name: str) -> File:
    """Where a participant's database lies in a run's folder."""
    return folder / f"{name}.sqlite"
