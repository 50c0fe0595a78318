"""An ending needs a reason: refused, given up after the whole retry budget, or open past the saga deadline."""

from collections.abc import Sequence

from kernel.ledger import Effect
from kernel.orders import CANCELLED, PENDING, REJECTED
from kernel.policy import OnDeadline
from kernel.saga import Saga
from scenarios.judge.balances import Broken
from scenarios.judge.causes import Row, causes_of
from scenarios.judge.known import Known
from scenarios.judge.oracle import OrderFacts, witness

_SLACK_S = 0.3
"""How long after the saga deadline its watcher may look, beside its own interval of a twentieth."""


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
    return any(
        known.asked(order_id, operation) >= known.promised(operation, saga)
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
        if (tried := known.asked(order.asked.order_id, operation)) > 1:
            return f"{operation} was tried {tried} times"
    return ""


def _after(order: OrderFacts, operation: str, known: Known) -> str:
    attempts = known.asked(order.asked.order_id, operation)
    return f" after {attempts} attempts" if attempts > 1 else ""
