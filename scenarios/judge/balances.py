"""The laws of what participants keep: money, stock and business rows, each checked against ledger and order."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from kernel.errors import UnreadableMessage
from kernel.ledger import Effect
from kernel.messages import order_json
from kernel.orders import CONFIRMED
from kernel.ports import Ledgers
from kernel.resources import MONEY, Pool, Resource
from kernel.saga import Saga
from scenarios.judge.causes import Row
from scenarios.judge.oracle import OrderFacts, witness
from scenarios.judge.possible import CLOCKS_DIFFER_S
from scenarios.judge.verdict import Witness

Broken = list[tuple[str, list[Witness]]]
"""Why a law does not hold, and the rows that prove it."""


def money(saga: Saga, facts: Sequence[OrderFacts], ended: set[str]) -> Broken:
    """Charges less refunds = the price of confirmed orders, wherever money is kept."""
    counted = [f for f in facts if f.asked.order_id in ended]
    broken: Broken = []
    for resource in saga.resources:
        if resource.unit != MONEY:
            continue
        name = resource.participant
        due = {
            f.asked.order_id: resource.due(f.asked.order) if f.status == CONFIRMED else 0
            for f in counted
        }
        taken = sum(f.net(name) for f in counted)
        if taken == sum(due.values()):
            continue
        wrong = [f for f in counted if f.net(name) != due[f.asked.order_id]]
        rows = [witness(r) for f in wrong for r in f.rows if r["participant"] == name]
        rows = rows or [witness(r) for f in wrong for r in f.rows]
        broken.append((f"{taken} {MONEY} taken, {sum(due.values())} due", rows))
    return broken


def stock(
    saga: Saga, facts: Sequence[OrderFacts], ledgers: Ledgers, units: Mapping[str, int] | None
) -> Broken:
    """Initial = free + held or sold, for every item, in the rows and in the ledger. `units`: what there was at first; None = not known."""
    broken: Broken = []
    order_of = {f.asked.order_id: f.asked.order for f in facts}
    for name, pool in saga.pools():
        tables = ledgers[name]
        kept: dict[str, int] = defaultdict(int)
        moved: dict[str, int] = defaultdict(int)
        whose: dict[str, list[str]] = defaultdict(list)
        for row in tables[pool.holds]:
            kept[row[pool.item]] += sum(sign * row[column] for column, sign in pool.held.items())
        for row in tables["ledger"]:
            if row["delta"] and row["order_id"] in order_of:
                item = pool.of(order_of[row["order_id"]])
                moved[item] += row["delta"]
                whose[item].append(row["order_id"])
        for row in tables[pool.table]:
            item, initial, free = row[pool.item], row["initial"], row["free"]
            at_first = initial if units is None else units.get(item, 0)
            if initial != free + kept[item] or initial + moved[item] != free or initial != at_first:
                orders = list(dict.fromkeys(whose[item]))
                named = ", ".join(orders[:5]) + (" and others" if len(orders) > 5 else "")
                why = f"{item}: {at_first} at first, {free} free, {kept[item]} held or sold by {named or 'nobody'}"
                broken.append((why, [{"participant": name, "table": pool.table, **row}]))
        missing = (moved.keys() | (units or {}).keys()) - {r[pool.item] for r in tables[pool.table]}
        broken += [(f"{item}: no row in {pool.table} of {name}", []) for item in sorted(missing)]
    return broken


def oversold(saga: Saga, ledgers: Ledgers) -> Broken:
    """Nothing that is limited goes below zero."""
    return [
        (f"{row[pool.item]} is oversold", [{"participant": name, "table": pool.table, **row}])
        for name, pool in saga.pools()
        for row in ledgers[name][pool.table]
        if row["free"] < 0
    ]


def sizes(saga: Saga, facts: Iterable[OrderFacts]) -> Broken:
    """An effect is as large as was ordered, and its undo the same; nothing else changes a balance."""
    due_of = {r.participant: r.due for r in saga.resources}
    acting = {name: saga.acting(name) for name in due_of}
    broken: Broken = []
    for order in facts:
        for row in order.rows:
            size = 0
            if (step := acting.get(row["participant"])) is not None:
                due = due_of[row["participant"]](order.asked.order)
                if row["operation"] == step.name and row["effect"] == Effect.DONE:
                    size = due
                elif step.undo and row["operation"] == step.undo.__name__:
                    size = -due if row["effect"] == Effect.UNDONE else 0
            if row["delta"] != size:
                why = f"{order.asked.order_id}: {row['operation']} ({row['effect']}) changed {row['delta']:+d} instead of {size:+d}"
                broken.append((why, [witness(row)]))
    return broken


def rows_agree(saga: Saga, facts: Sequence[OrderFacts], ledgers: Ledgers) -> Broken:
    """What a business row says of an order is what its ledger rows add up to, of the item that was ordered."""
    broken: Broken = []
    order_of = {f.asked.order_id: f.asked.order for f in facts}
    for resource in saga.resources:
        name = resource.participant
        table, columns = resource.kept
        if not table:
            continue
        sums = _sums(resource, ledgers[name]["ledger"])
        rows = {row["order_id"]: row for row in ledgers[name][table]}
        for order_id in sorted(sums.keys() | rows.keys()):
            row = rows.get(order_id)
            wanted = sums.get(order_id, {})
            shown = row or {}
            wrong = [
                f"{column} is {shown.get(column, 0)} instead of {wanted.get(column, 0)}"
                for column in (*columns, *resource.counts)
                if shown.get(column, 0) != wanted.get(column, 0)
            ]
            if resource.pool and row is not None and order_id in order_of:
                wrong += _wrong_item(resource.pool, row, order_of[order_id])
            if wrong:
                why = f"{order_id}: in {table} of {name} {', '.join(wrong)}"
                proof = {"participant": name, "table": table, "order_id": order_id, **shown}
                broken.append((why, [proof]))
    return broken + _orders_agree(saga, facts, ledgers)


def _sums(resource: Resource, ledger: Iterable[Row]) -> dict[str, dict[str, int]]:
    """order_id -> column -> what the ledger comes to; only what is not zero."""
    _, columns = resource.kept
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in ledger:
        for column, sign in columns.items():
            if row["delta"] and row["effect"] == (Effect.DONE if sign > 0 else Effect.UNDONE):
                sums[row["order_id"]][column] += abs(row["delta"])
        for column, operations in resource.counts.items():
            if row["operation"] in operations and row["effect"] in (Effect.DONE, Effect.UNDONE):
                sums[row["order_id"]][column] += 1
    return sums


def _wrong_item(pool: Pool, row: Row, order: Any) -> list[str]:
    wanted = pool.of(order)
    return [] if row[pool.item] == wanted else [f"{pool.item} is {row[pool.item]!r} instead of {wanted!r}"]  # fmt: skip


def _orders_agree(saga: Saga, facts: Sequence[OrderFacts], ledgers: Ledgers) -> Broken:
    """The service that opens sagas knows each order as it was asked for, once it has opened or refused it."""
    broken: Broken = []
    rows = {row["order_id"]: row for row in ledgers[saga.opener].get("orders", [])}
    misdated = _misdated(facts, rows)
    usual = median(misdated.values()) if misdated else 0.0
    for order in facts:
        order_id, row = order.asked.order_id, rows.get(order.asked.order_id)
        if row is None:
            if order.of(saga.forward[0], Effect.DONE):
                rows_of_it = [witness(r) for r in order.rows if r["participant"] == saga.opener]
                broken.append((f"{order_id}: opened, and no row of it in orders", rows_of_it))
            continue
        proof = [{"participant": saga.opener, "table": "orders", **row}]
        if abs(misdated.get(order_id, usual) - usual) > CLOCKS_DIFFER_S:
            why = f"{order_id}: it was not placed when its ledger row says"
            broken.append((why, proof))
        if "message" in row and (wrong := _wrong_message(saga, order, row["message"])):
            broken.append((f"{order_id}: {wrong}", proof))
    return broken


def _misdated(facts: Sequence[OrderFacts], rows: Mapping[str, Row]) -> dict[str, float]:
    """order_id -> seconds between its first ledger row and the time from which its deadline counts; infinite if that is none."""
    found: dict[str, float] = {}
    for order in facts:
        placed = rows.get(order.asked.order_id, {}).get("placed_wall_s")
        opened = [r for r in order.rows if r["operation"] == order.saga.forward[0] and "wall_s" in r]  # fmt: skip
        if placed is not None and opened:
            number = isinstance(placed, int | float) and not math.isnan(placed)
            found[order.asked.order_id] = placed - opened[0]["wall_s"] if number else math.inf
    return found


def _wrong_message(saga: Saga, order: OrderFacts, text: Any) -> str:
    try:
        opened = saga.codec.from_bytes(text)
    except (UnreadableMessage, TypeError):
        return "the message that opened it cannot be read"
    if opened.name != saga.forward[0]:
        return f"it was opened by {opened.name}"
    if opened.caused_by != f"{order.asked.order_id}:customer":
        return f"its opening message was caused by {opened.caused_by}"
    contents = [order_json(asked) for asked in order.asked.contents]
    if (found := order_json(opened.order)) not in contents:
        wanted = contents[0]
        wrong = sorted(k for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k))
        return f"it was opened with another {', '.join(wrong)} than was asked for"
    return ""
