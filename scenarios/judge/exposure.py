"""How long an order took, and how long money, stock and truth were at risk. All from ledger times, in seconds."""

from collections.abc import Mapping

from kernel.ledger import Effect
from kernel.orders import CANCELLED, CONFIRMED
from scenarios.judge.oracle import OrderFacts
from scenarios.judge.verdict import OrderTiming


def timing(
    facts: OrderFacts, *, run_ended_mono_s: float, ahead_s: Mapping[str, float]
) -> OrderTiming:
    """The times of one order. Intervals still open at the end of the run are censored, and named.

    `ahead_s`: by how much the clocks of participants are known to be ahead; what is not there is right.
    """
    ended = facts.ended_mono_s()
    found = OrderTiming(order_id=facts.asked.order_id)
    if ended is not None:
        found.latency_s = ended - facts.asked.intended_mono_s
    saga = facts.saga
    confirmed = _first(facts, saga.ending.name, Effect.DONE)
    for resource in saga.resources:
        if not resource.exposure:
            continue
        step = saga.acting(resource.participant)
        own_s = ahead_s.get(resource.participant, 0.0)
        start = _first(facts, step.name, Effect.DONE)
        if start is None:
            continue
        start -= own_s
        undone = _first(facts, step.undo.__name__, Effect.UNDONE) if step.undo else None
        undone = None if undone is None else undone - own_s
        ends = [t for t in (confirmed, undone) if t is not None]
        seconds = (min(ends) if ends else run_ended_mono_s) - start
        if resource.exposure == "money":
            found.money_exposure_s = seconds
        else:
            found.stock_exposure_s = seconds
        if not ends:
            found.open.append(resource.exposure)
    found.inconsistency_s, still = _inconsistency(facts, ended, run_ended_mono_s, ahead_s)
    if still:
        found.open.append("inconsistency")
    return found


def _first(facts: OrderFacts, operation: str, effect: Effect) -> float | None:
    return min((row["mono_s"] for row in facts.of(operation, effect)), default=None)


def _inconsistency(
    facts: OrderFacts,
    ended: float | None,
    run_ended_mono_s: float,
    ahead_s: Mapping[str, float],
) -> tuple[float, bool]:
    """Seconds in which the order's effects contradicted what it claimed, and whether they still do."""
    told_confirmed = CONFIRMED in facts.asked.told[:1]
    since = facts.asked.accepted_mono_s if told_confirmed else ended
    if since is None:
        return 0.0, False
    claimed = CONFIRMED if told_confirmed else facts.status
    total, at, wrong = 0.0, since, True
    saga, order = facts.saga, facts.asked.order
    net = saga.wanted(order, confirmed=False)
    for row in [*facts.rows, None]:
        now = run_ended_mono_s
        if row is not None:
            now = max(since, row["mono_s"] - ahead_s.get(row["participant"], 0.0))
        wrong = net != saga.wanted(order, confirmed=claimed == CONFIRMED)
        total += (now - at) if wrong else 0.0
        at = now
        if row is not None and row["participant"] in net:
            net[row["participant"]] += row["delta"]
        if (
            row is not None
            and told_confirmed
            and row["effect"] == Effect.UNDONE
            and row["operation"] == saga.ended_by.get(CANCELLED)
        ):
            claimed = CANCELLED
    return total, wrong
