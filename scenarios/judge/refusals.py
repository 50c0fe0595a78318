"""A refusal is right by the participant's own rule, and so is an acceptance: every ledger is gone through from its first row on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from kernel.ledger import Effect
from kernel.ports import Ledgers
from kernel.resources import Resource
from kernel.saga import Saga
from scenarios.judge.balances import Broken
from scenarios.judge.causes import Row
from scenarios.judge.oracle import OrderFacts, witness


def refusals(
    saga: Saga,
    facts: Sequence[OrderFacts],
    ledgers: Ledgers,
    units: Mapping[str, int] | None,
    *,
    tombstones: bool,
) -> Broken:
    """A refusal is right by the participant's own rule, and so is an acceptance. `tombstones`: whether it remembers what was undone."""
    order_of = {f.asked.order_id: f.asked.order for f in facts}
    resources = {r.participant: r for r in saga.resources}
    broken: Broken = []
    for name in saga.services:
        left = _initial(resources.get(name), ledgers[name], units)
        buried: set[str] = set()
        closed: set[str] = set()
        opened: set[str] = set()
        for row in ledgers[name]["ledger"]:
            order_id, operation, effect = row["order_id"], row["operation"], row["effect"]
            if order_id not in order_of:
                continue
            order = order_of[order_id]
            reasons = _reasons(saga, resources.get(name), operation, order, left)
            if order_id in buried and tombstones:
                reasons = ["it was undone before it came"]
            if name == saga.opener and operation == saga.ending.name:
                reasons = [] if order_id in opened - closed else ["it is not open"]
            if effect == Effect.REFUSED and reasons == []:
                why = f"{order_id}: {operation} was refused without a reason"
                broken.append((why, [witness({"participant": name, **row})]))
            elif effect == Effect.DONE and reasons:
                why = f"{order_id}: {operation} was done although {reasons[0]}"
                broken.append((why, [witness({"participant": name, **row})]))
            if effect == Effect.TOMBSTONE:
                buried.add(order_id)
            if name == saga.opener:
                if operation == saga.forward[0] and effect == Effect.DONE:
                    opened.add(order_id)
                elif effect in (Effect.UNDONE, Effect.TOMBSTONE):
                    closed.add(order_id)
            if (resource := resources.get(name)) is not None and resource.pool is not None:
                left[resource.pool.of(order)] += row["delta"]
    return broken


def _initial(
    resource: Resource | None,
    tables: Mapping[str, list[Row]],
    units: Mapping[str, int] | None,
) -> dict[str, int]:
    """The units of each item at first."""
    left: dict[str, int] = defaultdict(int)
    if resource is not None and resource.pool is not None:
        pool = resource.pool
        left |= units if units is not None else {r[pool.item]: r["initial"] for r in tables[pool.table]}  # fmt: skip
    return left


def _reasons(
    saga: Saga, resource: Resource | None, operation: str, order: Any, left: Mapping[str, int]
) -> list[str] | None:
    """Why a forward step must be refused, [] = there is no reason; None = nobody knows its rule, or it is no forward step."""
    if operation not in saga.forward:
        return None
    reasons: list[str] = []
    known = False
    if (accepts := saga.accepts.get(operation)) is not None:
        known = True
        if not accepts(order):
            reasons.append("its order is one to be refused")
    if (
        resource is not None
        and resource.pool is not None
        and operation == saga.acting(resource.participant).name
    ):
        known = True
        if left.get(resource.pool.of(order), 0) + resource.due(order) < 0:
            reasons.append("there was not enough left")
    return reasons if known else None
