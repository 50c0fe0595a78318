"""When a run is over: the same rule for every style."""

from collections.abc import Awaitable, Callable, Iterable

from kernel.errors import Failure
from kernel.orders import TERMINAL
from kernel.participants import Participants
from kernel.policy import Policy
from kernel.ports import Clock, Parked, Settlement

POLLS = 4
"""How often to look, within the time for which ledgers must be quiet, whether what is still open has ended."""
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
    quiet_s = policy.quiet_s()
    while True:
        now = clock.mono_s()
        quiet_at = max(started, await _last_row_mono_s(participants)) + quiet_s
        quiet, late = now >= quiet_at, now - started > deadline_s
        if quiet or late:
            statuses = await participants.statuses()
            still_open = {o for o in wanted if statuses.get(o) not in TERMINAL}
            if still_open:
                still_open -= await _parked_orders(parked)
            if quiet and not still_open and not await _any(under_way):
                return Settlement(how="quiescent", waited_s=now - started)
            if late:
                return Settlement(
                    how="deadline",
                    waited_s=now - started,
                    open_orders=tuple(sorted(still_open)),
                    still_changing=not quiet,
                )
        # Nothing can be settled before the ledgers are quiet; then it takes what is still open as long as it takes.
        until_s = min(quiet_at, started + deadline_s) - now
        await clock.sleep(max(LEAST_POLL_S, quiet_s / POLLS if quiet else until_s))


async def _any(under_way: Callable[[], Awaitable[int]]) -> bool:
    """Whether anything is; a coordinator that does not answer may have something."""
    try:
        return bool(await under_way())
    except Failure:
        return True


async def _last_row_mono_s(participants: Participants) -> float:
    """When the youngest row of any ledger was written, on this host's monotonic clock; 0 = there is none."""
    youngest = 0.0
    for participant in participants.by_name.values():
        row = await participant.database.read(
            lambda tx: tx.one("SELECT mono_s FROM ledger ORDER BY seq DESC LIMIT 1")
        )
        youngest = max(youngest, row["mono_s"] if row else 0.0)
    return youngest


async def _parked_orders(parked: Callable[[], Awaitable[list[Parked]]]) -> set[str]:
    try:
        return {saga.order_id for saga in await parked()}
    except Failure:
        return set()
