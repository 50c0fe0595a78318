"""When a run is over: the same rule for every style."""

from collections.abc import Awaitable, Callable, Iterable

from shared_domain.errors import Failure
from shared_domain.order.model import TERMINAL
from shared_domain.participants import Participants
from shared_domain.policy import Policy
from shared_domain.ports import Clock, Parked, Settlement

POLLS = 10
"""How often one looks within the time for which the ledgers must be quiet."""
LEAST_POLL_S = 0.02


async def settle(
    order_ids: Iterable[str],
    *,
    participants: Participants,
    under_way: Callable[[], Awaitable[int]],
    parked: Callable[[], Awaitable[list[Parked]]],
    policy: Policy,
    clock: Clock,
    deadline_s: float,
) -> Settlement:
    """Wait for quiescence: orders terminal or parked, nothing `under_way`, ledgers quiet for twice the longest retry."""
    started, wanted = clock.mono_s(), set(order_ids)
    activity, quiet_since, quiet_s = -1, started, policy.quiet_s()
    while True:
        now = clock.mono_s()
        rows = await _ledger_rows(participants)
        if rows != activity:
            activity, quiet_since = rows, now
        quiet = now - quiet_since >= quiet_s
        if quiet or now - started > deadline_s:
            statuses = await participants.statuses()
            still_open = {o for o in wanted if statuses.get(o) not in TERMINAL}
            if still_open:
                still_open -= await _parked_orders(parked)
            if quiet and not still_open and not await _any(under_way):
                return Settlement(how="quiescent", waited_s=now - started)
            if now - started > deadline_s:
                return Settlement(
                    how="deadline",
                    waited_s=now - started,
                    open_orders=tuple(sorted(still_open)),
                    still_changing=not quiet,
                )
        await clock.sleep(max(LEAST_POLL_S, quiet_s / POLLS))


async def _any(under_way: Callable[[], Awaitable[int]]) -> bool:
    """Whether anything is; a coordinator that does not answer may have something."""
    try:
        return bool(await under_way())
    except Failure:
        return True


async def _ledger_rows(participants: Participants) -> int:
    total = 0
    for door in participants.doors.values():
        row = await door.database.read(
            lambda tx: tx.one("SELECT coalesce(max(seq), 0) AS n FROM ledger")
        )
        total += row["n"] if row else 0
    return total


async def _parked_orders(parked: Callable[[], Awaitable[list[Parked]]]) -> set[str]:
    try:
        return {saga.order_id for saga in await parked()}
    except Failure:
        return set()
