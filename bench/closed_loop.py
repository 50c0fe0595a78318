"""A closed loop of customers over one contender, judged by the ledgers it leaves: how many sagas per second there can be."""

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import Start
from kernel.errors import UsageError
from kernel.participants import database_path
from shared_domain.order.messages import Order
from shared_domain.order.saga import SAGA

POLL_S = 0.001
PATIENCE_S = 60.0
EFFECTS_PER_ORDER = 5
_ENDED = (
    "SELECT seq, order_id, mono_s FROM ledger"
    f" WHERE seq > ? AND operation = '{SAGA.ending.name}' ORDER BY seq"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looped:
    """`rate_per_s`: sagas ended per second while as many as asked for were in flight. `seconds`: before an order was placed, to
    its last ledger row, or to the customer's answer if that came later.
    """

    rate_per_s: float
    seconds: list[float]


async def loop(
    place: Start, folder: Path, *, prefix: str, orders: int, in_flight: int, padding: int = 0
) -> Looped:
    """Place `orders`, never more than `in_flight` at once. Raise UsageError if one does not end confirmed in time.

    Ends are read from the order service's ledger, the same way for every contender. `padding`: bytes added to each order.
    """
    ledger = sqlite3.connect(f"file:{database_path(folder, 'order')}?mode=ro", uri=True)
    seen = ledger.execute("SELECT coalesce(max(seq), 0) FROM ledger").fetchone()[0]
    started: dict[str, float] = {}
    answered: dict[str, float] = {}
    placing: set[asyncio.Task[None]] = set()
    ended: dict[str, float] = {}
    failed: list[asyncio.Task[None]] = []

    async def ask(order_id: str) -> None:
        await place(_order(order_id, padding))
        answered[order_id] = time.monotonic()

    def over(task: asyncio.Task[None]) -> None:
        placing.discard(task)
        if task.cancelled() or task.exception() is not None:
            failed.append(task)

    began = heard_at = time.monotonic()
    try:
        while len(ended) < orders or placing:
            while len(started) < min(orders, len(ended) + in_flight):
                order_id = f"{prefix}-{len(started)}"
                started[order_id] = time.monotonic()
                task = asyncio.ensure_future(ask(order_id))
                placing.add(task)
                task.add_done_callback(over)
            for task in failed:
                task.result()
            rows = ledger.execute(_ENDED, (seen,)).fetchall()
            for seq, order_id, mono_s in rows:
                seen, ended[order_id], heard_at = seq, mono_s, time.monotonic()
            if time.monotonic() - heard_at > PATIENCE_S:
                raise UsageError(
                    f"no order has ended for {PATIENCE_S:.0f} s, {len(ended)} of {orders} have"
                )
            await asyncio.sleep(0 if rows else POLL_S)
    finally:
        ledger.close()
        await asyncio.gather(*placing, return_exceptions=True)
    ends = {order_id: max(at, answered[order_id]) for order_id, at in ended.items()}
    return Looped(
        rate_per_s=_steady_rate(sorted(ends.values()), began, in_flight),
        seconds=[at - started[order_id] for order_id, at in ends.items()],
    )


def _steady_rate(ends: list[float], began: float, in_flight: int) -> float:
    """Per second, between the end of the first batch and the start of the last one; of less than three batches, of all."""
    if len(ends) < 3 * in_flight:
        return len(ends) / (ends[-1] - began)
    first, last = in_flight - 1, len(ends) - in_flight
    return (last - first) / (ends[last] - ends[first])


def check_ledgers(folder: Path, *, orders: int) -> None:
    """See that every order had each effect of its saga once, and nothing else happened. Raise UsageError if not.

    A peer without services has one ledger, and rows for what it does.
    """
    rows = []
    for path in map(Path, (folder / f"{name}.sqlite" for name in SAGA.services)):
        if path.exists():
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as ledger:
                rows += ledger.execute("SELECT order_id, operation, effect FROM ledger").fetchall()
    operations = {operation for _, operation, _ in rows}
    if len(operations) not in (1, EFFECTS_PER_ORDER):
        raise UsageError(f"operations that nobody ordered: {', '.join(sorted(operations))}")
    if len(set(rows)) != len(rows) or len(rows) != len(operations) * orders:
        raise UsageError(
            f"{orders} orders left {len(rows)} ledger rows, {len(set(rows))} different ones: nothing may be reported"
        )
    if strange := {effect for _, _, effect in rows} - {"done"}:
        raise UsageError(f"effects that nobody ordered: {', '.join(sorted(strange))}")


def _order(order_id: str, padding: int) -> Order:
    return Order(
        order_id=order_id,
        customer="c",
        item="book",
        quantity=1,
        amount_cents=500,
        destination="Oslo",
        note="." * padding,
    )
