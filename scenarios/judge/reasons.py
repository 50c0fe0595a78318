"""An ending needs a reason: refused, given up after the whole retry budget, or open past the saga deadline."""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from kernel.guards import Guards
from kernel.ledger import Effect
from kernel.orders import CANCELLED, PENDING, REJECTED
from kernel.policy import OnDeadline, Policy
from kernel.ports import Parked
from kernel.reactions import Reaction
from kernel.rows import reactions_by_rows
from kernel.saga import Saga
from scenarios.faults.plan import CLOCKS, CORRUPTED, CRASHES, DISTURBANCES, Moment
from scenarios.faults.planned import Injection
from scenarios.judge.balances import Broken
from scenarios.judge.causes import Row, causes_of
from scenarios.judge.oracle import OrderFacts, witness

_FINAL_AT_ONCE = CORRUPTED | {Moment.OVERSIZED_ANSWER, Moment.UNEXPECTED_ANSWER}
"""What nobody tries again: it would fail each time."""
_SHARED = CRASHES | DISTURBANCES
"""What strikes whoever is in the same hands, and takes attempts that never arrive."""
_SLACK_S = 0.3
"""How long after the saga deadline its watcher may look, beside its own interval of a twentieth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a run beside its rows. `attempts`: (order_id, operation) -> how often the request arrived; None = nobody counted.

    `conducted`: whether somebody calls the participants, so that giving up leaves no row of its own.
    """

    policy: Policy
    guards: Guards = field(default_factory=Guards.all)
    injections: Sequence[Injection] = ()
    attempts: Mapping[tuple[str, str], int] | None = None
    conducted: bool = False
    times_mono_s: Mapping[tuple[str, str], Sequence[float]] | None = None
    """(order_id, operation) -> when its requests arrived, oldest first; None = nobody wrote it down."""
    exact: bool = False
    """Whether nothing takes longer than it must, as under virtual time."""
    troubled: bool = False
    """Whether troubles came that no plan names, as in a soak."""

    @property
    def shared(self) -> bool:
        """Whether something struck that others feel."""
        return self.troubled or any(i.moment in _SHARED and i.struck for i in self.injections)

    def set_back(self) -> bool:
        """Whether the time of day was set back anywhere: then a deadline comes later."""
        return any(i.moment == Moment.CLOCK_SET_BACK and i.struck for i in self.injections)

    def at_once(self) -> dict[str, set[str]]:
        """order_id -> the operations at which a fault struck that is final at once."""
        found: dict[str, set[str]] = defaultdict(set)
        for injection in self.injections:
            if injection.moment in _FINAL_AT_ONCE and injection.struck:
                found[injection.order_id].add(injection.operation)
        return found


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
            tried = known.attempts.get((order_id, operation), 0)
            promised = _promised(saga, operation, known)
            if tried < promised and not at_once[order_id]:
                why = f"{order_id}: {operation} was given up after {tried} of {promised} attempts"
                broken.append((why, [witness(row) for row in rows]))
    return broken


def _promised(saga: Saga, operation: str, known: Known) -> int:
    undo = operation in saga.undoes
    return 1 + known.policy.retries(compensation=undo, guards=known.guards)


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
        announced = {str(row["answer"]) for row in order.rows}
        for operation in saga.operations:
            if operation == saga.forward[0] and not known.conducted:
                continue  # a customer asks as often as she likes
            asked = known.attempts.get((order_id, operation), 0)
            causes = 1 if known.conducted else len(leading(operation, announced, each=True))
            most = causes if not struck[order_id] else _most(saga, operation, causes, struck[order_id], known)  # fmt: skip
            if asked > most:
                why = f"{order_id}: {operation} was asked for {asked} times, at most {most} were needed"
                broken.append((why, [witness(r) for r in order.rows if r["operation"] == operation]))  # fmt: skip
            elif why := _badly_timed(order_id, operation, struck[order_id], causes, known):
                broken.append((why, [witness(r) for r in order.rows if r["operation"] == operation]))  # fmt: skip
    return broken


_HARMLESS = CLOCKS | {Moment.REFUSED}
_EXACTLY_S = 0.02
"""What a retry may be late or early by under virtual time."""


_RETRIED = frozenset({Moment.ERROR, Moment.HANG, Moment.REFUSED})
"""What is answered with a retry, and with nothing else."""


def _most(
    saga: Saga, operation: str, causes: int, struck: Sequence[Injection], known: Known
) -> float:
    """How often a request may come at most; what a broker sends again because nobody has acked it does not count."""
    if not known.conducted and not {i.moment for i in struck} <= _RETRIED:
        return math.inf
    again = {Moment.REQUEST_DUPLICATED, Moment.REQUEST_REPLAYED}
    return causes * _promised(saga, operation, known) + sum(
        i.moment in again and i.operation == operation for i in struck
    )


def _badly_timed(
    order_id: str, operation: str, struck: Sequence[Injection], causes: int, known: Known
) -> str:
    """Where every failed attempt failed in the same plain way: how the wait before a retry differs from the promised one."""
    here = [i for i in struck if i.operation == operation]
    moments = {i.moment for i in here}
    times = (known.times_mono_s or {}).get((order_id, operation), ())
    if causes != 1 or len(moments) != 1 or not moments <= {Moment.ERROR, Moment.HANG}:
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


def undone_for_a_reason(saga: Saga, facts: Sequence[OrderFacts], known: Known) -> Broken:
    """What is undone was refused, given up, or open past the deadline."""
    broken: Broken = []
    at_once = known.at_once()
    for order in facts:
        order_id = order.asked.order_id
        turned = [r for r in order.rows if r["operation"] in saga.undoes]
        if not turned and order.status not in (CANCELLED, REJECTED):
            continue
        refused = [r for r in order.rows if _turns_back(saga, r)]
        if refused or at_once[order_id]:
            continue
        if any(saga.expired.__name__ in causes_of(row) for row in turned):
            continue  # see deadlines
        if known.conducted and (known.attempts is None or known.shared or _spent(saga, order_id, known)):  # fmt: skip
            continue
        why = f"{order_id}: {turned[0]['operation'] if turned else order.status} without a refusal, a spent budget or a deadline"
        broken.append((why, [witness(row) for row in turned[:3]]))
    return broken


def _turns_back(saga: Saga, row: Row) -> bool:
    if row["effect"] == Effect.GAVE_UP:
        return True
    return bool(row["effect"] == Effect.REFUSED and row["operation"] != saga.ending.name)


def _spent(saga: Saga, order_id: str, known: Known) -> bool:
    """Whether any forward step was tried as often as is promised."""
    assert known.attempts is not None
    return any(
        known.attempts.get((order_id, operation), 0) >= _promised(saga, operation, known)
        for operation in saga.forward
    )


def deadlines(saga: Saga, facts: Sequence[OrderFacts], expired: set[str], known: Known) -> Broken:
    """A saga is announced as too late once its deadline has passed, and not before, by the clock of the service that opened it.

    `expired`: the orders that it has marked.
    """
    if known.conducted:
        return [(f"{order_id}: marked as too late, and nobody watches deadlines", []) for order_id in sorted(expired)]  # fmt: skip
    broken: Broken = []
    policy = known.policy
    for order in facts:
        own = [r for r in order.rows if r["participant"] == saga.opener]
        opened = [r for r in own if r["operation"] == saga.forward[0] and r["effect"] == Effect.DONE]  # fmt: skip
        ended = [r for r in own if r["operation"] != saga.forward[0]]
        if not opened or not ended or order.status == PENDING:
            continue
        lasted_s = float(ended[-1]["mono_s"]) - float(opened[0]["mono_s"])
        order_id, rows = order.asked.order_id, [witness(opened[0]), witness(ended[-1])]
        was_expired = any(saga.expired.__name__ in causes_of(row) for row in order.rows)
        if was_expired and order_id not in expired:
            broken.append((f"{order_id}: {saga.expired.__name__} was never announced", rows))
        elif was_expired and lasted_s < 0.9 * policy.saga_s():
            why = f"{order_id}: open for {lasted_s:.2f} s, and its deadline of {policy.saga_s():.2f} s was said to have passed"
            broken.append((why, rows))
        elif (
            known.guards.timeouts
            and policy.on_deadline == OnDeadline.COMPENSATE
            and not known.shared
            and not known.set_back()
            and order_id not in expired
            and lasted_s > 1.1 * policy.saga_s() + _SLACK_S
        ):
            why = f"{order_id}: open for {lasted_s:.2f} s, and nobody noticed that its deadline of {policy.saga_s():.2f} s had passed"
            broken.append((why, rows))
    return broken


def reason_of(order: OrderFacts, known: Known) -> str:
    """Why an order did not go forward, in words; "" = it did, or nobody knows."""
    saga = order.saga
    for row in order.rows:
        if _turns_back(saga, row):
            how = "was refused" if row["effect"] == Effect.REFUSED else "was given up"
            return f"{row['operation']} {how}{_after(order, str(row['operation']), known)}"
        if saga.expired.__name__ in causes_of(row):
            return "its saga deadline passed"
    for operation in saga.forward:
        if known.attempts and known.attempts.get((order.asked.order_id, operation), 0) > 1:
            return f"{operation} was tried {known.attempts[order.asked.order_id, operation]} times"
    return ""


def _after(order: OrderFacts, operation: str, known: Known) -> str:
    attempts = (known.attempts or {}).get((order.asked.order_id, operation), 0)
    return f" after {attempts} attempts" if attempts > 1 else ""


class Leading(Protocol):
    """What leads to an operation."""

    def __call__(
        self, operation: str, announced: Collection[str], *, each: bool = False
    ) -> list[str]:
        """The announcements that each must lead to a request of it; those of a join together, or `each` that may have completed it."""
        ...


def operations_after(saga: Saga, variant: str) -> Leading:
    """By the rows of a saga."""
    leading: dict[str, list[Reaction]] = defaultdict(list)
    for reaction in reactions_by_rows(saga, variant):
        leading[reaction.command.__name__].append(reaction)

    def heard(operation: str, announced: Collection[str], *, each: bool = False) -> list[str]:
        found: list[str] = []
        for reaction in leading[operation]:
            names = sorted(k.__name__ for k in reaction.hears() if k.__name__ in announced)
            if reaction.joins and not reaction.complete(set(announced)):
                names = []
            elif reaction.joins:
                names = names[len(reaction.needs) - 1 :] if each else [" with ".join(names)]
            found += names
        return found

    return heard
