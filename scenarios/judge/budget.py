"""How often somebody is asked: as often as was promised before giving up, and no more often, or sooner, than there is a reason to."""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import pairwise

from kernel.ledger import Effect
from kernel.ports import Parked
from kernel.saga import Saga
from scenarios.faults.plan import CLOCKS, Moment
from scenarios.faults.record import Injection
from scenarios.judge.balances import Broken
from scenarios.judge.known import Known
from scenarios.judge.messages import operations_after
from scenarios.judge.oracle import OrderFacts, witness

_HARMLESS = CLOCKS | {Moment.REFUSED}
_EXACTLY_S = 0.02
"""What a retry may be late or early by under virtual time."""
_RETRIED = frozenset({Moment.ERROR, Moment.HANG, Moment.REFUSED})
"""What is answered with a retry, and with nothing else."""


def whole_budget(
    saga: Saga, facts: Sequence[OrderFacts], parked: Sequence[Parked], known: Known
) -> Broken:
    """Who gave up had tried as often as was promised."""
    if known.attempts is None or known.shared:
        return []
    at_once = known.at_once()
    left_to: dict[str, list[str]] = defaultdict(list)
    for saga_parked in parked:
        if saga_parked.operation and not saga_parked.reported:
            left_to[saga_parked.order_id].append(saga_parked.operation)
    broken: Broken = []
    for order in facts:
        order_id = order.asked.order_id
        gave_up = {r["operation"]: [r] for r in order.rows if r["effect"] == Effect.GAVE_UP}
        gave_up |= {operation: [] for operation in left_to[order_id]}
        for operation, rows in gave_up.items():
            tried = known.asked(order_id, operation)
            promised = known.promised(operation, saga)
            if tried < promised and not at_once[order_id]:
                why = f"{order_id}: {operation} was given up after {tried} of {promised} attempts"
                broken.append((why, [witness(row) for row in rows]))
    return broken


def no_more_than_needed(
    saga: Saga, variant: str, facts: Sequence[OrderFacts], spared: Collection[str], known: Known
) -> Broken:
    """Nobody is asked more often than there is a reason to, and a retry comes when it was promised."""
    if known.attempts is None or known.shared or not known.exact:
        return []
    struck: dict[str, list[Injection]] = defaultdict(list)
    for injection in known.injections:
        if injection.struck and injection.moment not in _HARMLESS:
            struck[injection.order_id].append(injection)
    leading = operations_after(saga, variant)
    broken: Broken = []
    for order in facts:
        order_id = order.asked.order_id
        if order_id in spared:
            continue
        announced = order.announced()
        for operation in saga.operations:
            if operation == saga.forward[0] and not known.conducted:
                continue  # a customer asks as often as she likes
            asked = known.asked(order_id, operation)
            causes = 1 if known.conducted else len(leading(operation, announced, each=True))
            hits = struck[order_id]
            most = _most(saga, operation, causes, hits, known) if hits else causes
            why = _badly_timed(order_id, operation, hits, causes, known)
            if asked > most:
                why = f"{order_id}: {operation} was asked for {asked} times, at most {most} were needed"
            if why:
                mine = [r for r in order.rows if r["operation"] == operation]
                broken.append((why, [witness(r) for r in mine]))
    return broken


def _most(
    saga: Saga, operation: str, causes: int, struck: Sequence[Injection], known: Known
) -> float:
    """How often a request may come at most; what a broker sends again because nobody has acked it does not count."""
    if not known.conducted and not {i.moment for i in struck} <= _RETRIED:
        return math.inf
    again = {Moment.REQUEST_DUPLICATED, Moment.REQUEST_REPLAYED}
    return causes * known.promised(operation, saga) + sum(
        i.moment in again and i.operation == operation for i in struck
    )


def _badly_timed(
    order_id: str, operation: str, struck: Sequence[Injection], causes: int, known: Known
) -> str:
    """Where all that struck this order are failures of one plain kind: how the wait before a retry differs from the promised one.

    Another fault elsewhere may have a request sent twice, and then it is nobody's retry.
    """
    here = [i for i in struck if i.operation == operation]
    moments = {i.moment for i in struck}
    times = (known.times_mono_s or {}).get((order_id, operation), ())
    if not here or causes != 1 or len(moments) != 1 or not moments <= {Moment.ERROR, Moment.HANG}:
        return ""
    lasts_s = known.policy.step_s() if Moment.HANG in moments else 0.0
    if lasts_s and not known.guards.timeouts:
        return ""
    for number, (delay_s, (one, following)) in enumerate(zip(known.policy.delays_s(), pairwise(times), strict=False), 1):  # fmt: skip
        if number not in {i.attempt for i in here}:
            break
        if abs(following - one - lasts_s - delay_s) > _EXACTLY_S:
            wanted, was = (
                s / known.policy.time_scale for s in (delay_s, following - one - lasts_s)
            )
            return f"{order_id}: retry {number} of {operation} came after {was:.2f} s instead of {wanted:.2f} s"
    return ""
