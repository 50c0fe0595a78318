"""Ways to run the choreography over one RabbitMQ node, and one client's work, judged by the ledgers it leaves."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.peers.faststream_choreography import faststream_choreography
from bench.peers.naive_choreography import naive_choreography
from bench.trials import Trials
from choreography.rabbit_broker import RabbitBroker
from choreography.system import ChoreographedSystem, topology
from shared_domain.clock import SystemClock
from shared_domain.errors import UsageError
from shared_domain.faults import NoFaults
from shared_domain.guards import Guards
from shared_domain.messages import Order
from shared_domain.participants import NAMES, database_path, open_participants
from shared_domain.policy import Policy
from shared_domain.tracing import NoTracer

Place = Callable[[Order], Awaitable[object]]
Way = Callable[[str, Path, str], AbstractAsyncContextManager[Place]]
"""(address of the node, folder, prefix) -> how a customer places an order, while the services are at work."""
POLL_S = 0.001
PATIENCE_S = 60.0
BOOKS = 1_000_000
EFFECTS_PER_ORDER = 5


@asynccontextmanager
async def ours(url: str, folder: Path, prefix: str, *, durability: str) -> AsyncIterator[Place]:
    """Our own choreography with every guard on, in this process."""
    policy, guards, clock = Policy(), Guards.all(), SystemClock()
    tracer = NoTracer()
    async with AsyncExitStack() as stack:
        opening = open_participants(
            folder,
            policy=policy,
            guards=guards,
            faults=NoFaults(),
            tracer=tracer,
            clock=clock,
            durability=durability,
        )
        participants = await stack.enter_async_context(opening)
        await participants.stock_up({"book": BOOKS})
        queues = topology(prefix=prefix, step_order="inventory-first", policy=policy)
        broker = await stack.enter_async_context(
            RabbitBroker.open(url, queues, durability=durability)
        )
        system = await stack.enter_async_context(
            ChoreographedSystem.open(
                participants=participants,
                services=participants.doors,
                broker=broker,
                step_order="inventory-first",
                policy=policy,
                guards=guards,
                tracer=tracer,
                clock=clock,
            )
        )
        yield system.place_order


def _naive(
    url: str, folder: Path, prefix: str, *, durability: str
) -> AbstractAsyncContextManager[Place]:
    return naive_choreography(url, folder, durability=durability, prefix=prefix)


def _faststream(
    url: str, folder: Path, prefix: str, *, durability: str
) -> AbstractAsyncContextManager[Place]:
    return faststream_choreography(url, folder, durability=durability, prefix=prefix)


NAIVE, OURS = "naive, classic", "ours, classic"
WAYS: dict[str, Way] = {
    OURS: partial(ours, durability="process"),
    NAIVE: partial(_naive, durability="process"),
    "FastStream, classic": partial(_faststream, durability="process"),
    "ours, quorum": partial(ours, durability="power"),
    "naive, quorum": partial(_naive, durability="power"),
    "FastStream, quorum": partial(_faststream, durability="power"),
}


@dataclass(slots=True)
class Measured(Trials):
    """What was measured of one way. `seconds`: before an order was placed, to its last ledger row."""

    cpu_ms: list[float] = field(default_factory=list)
    """CPU time of this process per order and trial: client, services and databases."""


async def measure(
    place: Place, folder: Path, into: Measured, *, prefix: str, orders: int, in_flight: int
) -> None:
    """Place `orders`, never more than `in_flight` at once. Raise UsageError if one does not end confirmed in time.

    Ends are read from the order service's ledger, the same way for every way.
    """
    ledger = sqlite3.connect(f"file:{database_path(folder, 'order')}?mode=ro", uri=True)
    seen = ledger.execute("SELECT coalesce(max(seq), 0) FROM ledger").fetchone()[0]
    started: dict[str, float] = {}
    placing: set[asyncio.Task[object]] = set()
    ended, heard_at = 0, time.monotonic()
    began, cpu = time.monotonic(), time.process_time()
    try:
        while ended < orders:
            while len(started) < min(orders, ended + in_flight):
                order_id = f"{prefix}-{len(started)}"
                started[order_id] = time.monotonic()
                task = asyncio.ensure_future(place(_order(order_id)))
                placing.add(task)
                task.add_done_callback(placing.discard)
            rows = ledger.execute(
                "SELECT seq, order_id, mono_s FROM ledger WHERE seq > ? AND operation = 'ConfirmOrder'",
                (seen,),
            ).fetchall()
            for seq, order_id, mono_s in rows:
                seen, ended, heard_at = seq, ended + 1, time.monotonic()
                into.seconds.append(mono_s - started[order_id])
            if time.monotonic() - heard_at > PATIENCE_S:
                raise UsageError(
                    f"no order has ended for {PATIENCE_S:.0f} s, {ended} of {orders} have"
                )
            await asyncio.sleep(0 if rows else POLL_S)
        into.rates.append(orders / (time.monotonic() - began))
        into.cpu_ms.append(1000 * (time.process_time() - cpu) / orders)
    finally:
        ledger.close()
        await asyncio.gather(*placing)


def check_ledgers(folder: Path, *, orders: int) -> None:
    """See that every order had each of its five effects once, and nothing else happened. Raise UsageError if not."""
    rows = []
    for name in NAMES:
        ledger = sqlite3.connect(f"file:{database_path(folder, name)}?mode=ro", uri=True)
        sql = "SELECT order_id, operation, effect FROM ledger"
        rows += ledger.execute(sql).fetchall()
        ledger.close()
    if len(set(rows)) != len(rows) or len(rows) != EFFECTS_PER_ORDER * orders:
        raise UsageError(
            f"{orders} orders left {len(rows)} ledger rows, {len(set(rows))} different ones"
        )
    if strange := {effect for _, _, effect in rows} - {"done"}:
        raise UsageError(f"effects that nobody ordered: {', '.join(sorted(strange))}")


def _order(order_id: str) -> Order:
    return Order(
        order_id=order_id,
        customer="c",
        item="book",
        quantity=1,
        amount_cents=500,
        destination="Oslo",
    )
