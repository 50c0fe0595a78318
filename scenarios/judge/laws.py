"""The conservation laws of a whole run, from the participants' rows alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from kernel.ledger import Effect
from kernel.orders import CONFIRMED
from kernel.ports import Ledgers
from kernel.resources import MONEY
from kernel.saga import Saga
from kernel.steps import Stage
from scenarios.judge.dropped import dropped
from scenarios.judge.oracle import OrderFacts, witness
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import LawVerdict, Witness

MOST_WITNESSES = 20


def judge_laws(
    saga: Saga,
    facts: list[OrderFacts],
    ledgers: Ledgers,
    *,
    ended: set[str],
    stages: Sequence[Stage],
    excused: set[str],
    longest_silence_s: float,
    arrivals_mono_s: Mapping[str, Sequence[float]],
    queued_s: float | None = None,
) -> list[LawVerdict]:
    """Every law. `ended`: the orders that count for money; the others are judged by their class.

    `stages`: the forward steps in the order of their variant. `excused`: orders whose silence somebody else is to blame for.

    `longest_silence_s`: the longest that somebody can be at work on a saga without a new row. `queued_s`: given where messages
    queue, how much younger a message must be to have overtaken another; None = nothing queues.
    """
    return [
        _money(saga, facts, ended),
        _stock(saga, ledgers),
        _never_oversold(saga, ledgers),
        _steps_in_order(facts, stages),
        _only_forward(facts),
        _compensation_has_a_cause(facts),
        _refusals_stand(facts),
        _reverse_order(facts, stages),
        _verdict(
            Rule.NOT_DROPPED,
            dropped(facts, ended - excused, longest_silence_s, arrivals_mono_s, queued_s=queued_s),
        ),
        _rows_agree(saga, ledgers),
        _nobody_else(facts, ledgers),
    ]


def _verdict(law: Rule, broken: list[tuple[str, list[Witness]]]) -> LawVerdict:
    return LawVerdict(
        law=str(law),
        held=not broken,
        why="; ".join(why for why, _ in broken[:3]),
        witnesses=[row for _, rows in broken for row in rows][:MOST_WITNESSES],
    )


def _money(saga: Saga, facts: list[OrderFacts], ended: set[str]) -> LawVerdict:
    """Charges less refunds = the price of confirmed orders, wherever money is kept."""
    counted = [f for f in facts if f.asked.order_id in ended]
    broken = []
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
    return _verdict(Rule.MONEY, broken)


def _stock(saga: Saga, ledgers: Ledgers) -> LawVerdict:
    """Initial = free + held or sold, for every item, in the rows and in the ledger."""
    broken = []
    for name, pool in saga.pools():
        tables = ledgers[name]
        kept: dict[str, int] = defaultdict(int)
        item_of = {}
        for row in tables[pool.holds]:
            kept[row[pool.item]] += sum(sign * row[column] for column, sign in pool.held.items())
            item_of[row["order_id"]] = row[pool.item]
        moved: dict[str, int] = defaultdict(int)
        for row in tables["ledger"]:
            moved[item_of.get(row["order_id"], "")] += row["delta"]
        for units in tables[pool.table]:
            item, initial, free = units[pool.item], units["initial"], units["free"]
            if initial != free + kept[item] or initial + moved[item] != free:
                why = f"{item}: {initial} at first, {free} free, {kept[item]} held or sold"
                broken.append((why, [{"participant": name, "table": pool.table, **units}]))
    return _verdict(Rule.STOCK, broken)


def _never_oversold(saga: Saga, ledgers: Ledgers) -> LawVerdict:
    broken = [
        (
            f"{units[pool.item]} is oversold",
            [{"participant": name, "table": pool.table, **units}],
        )
        for name, pool in saga.pools()
        for units in ledgers[name][pool.table]
        if units["free"] < 0
    ]
    return _verdict(Rule.NOT_OVERSOLD, broken)


def _steps_in_order(facts: list[OrderFacts], stages: Sequence[Stage]) -> LawVerdict:
    """Nothing is done before what its variant of the saga says comes first."""
    follows = [
        (before.name, step.name)
        for earlier, later in pairwise(stages)
        for step in later
        for before in earlier
    ]
    broken = []
    for order in facts:
        for before, step in follows:
            at, first = _done_at(order, step), _done_at(order, before)
            if at is not None and (first is None or first > at):
                rows = [*order.of(before, Effect.DONE), *order.of(step, Effect.DONE)]
                why = f"{order.asked.order_id}: {step} without {before} before it"
                broken.append((why, [witness(row) for row in rows]))
    return _verdict(Rule.STEP_ORDER, broken)


def _done_at(order: OrderFacts, step: str) -> float | None:
    return min((row["mono_s"] for row in order.of(step, Effect.DONE)), default=None)


def _is_final(saga: Saga, row: dict[str, Any]) -> bool:
    return row["operation"] in saga.pivots and row["effect"] == Effect.DONE


def _only_forward(facts: list[OrderFacts]) -> LawVerdict:
    """What is booked is kept, and so is all that led to it."""
    broken = []
    for order in facts:
        final = [row for row in order.rows if _is_final(order.saga, row)]
        undone = [row for row in order.rows if row["effect"] == Effect.UNDONE]
        if final and undone:
            why = f"{order.asked.order_id}: {undone[0]['operation']} although {final[0]['operation']} is done"
            broken.append((why, [witness(row) for row in (*final, *undone)]))
    return _verdict(Rule.ONLY_FORWARD, broken)


def _compensation_has_a_cause(facts: list[OrderFacts]) -> LawVerdict:
    """A compensation comes after its forward step, or instead of it as a tombstone."""
    broken = []
    for order in facts:
        for undo, forward in order.saga.undoes.items():
            done = order.of(forward, Effect.DONE)
            undone = order.of(undo, Effect.UNDONE)
            buried = order.of(undo, Effect.TOMBSTONE)
            too_early = bool(undone) and not (done and done[0]["seq"] < undone[0]["seq"])
            if too_early or (buried and done):
                why = f"{order.asked.order_id}: {undo} without {forward} before it"
                broken.append((why, [witness(row) for row in (*done, *undone, *buried)]))
    return _verdict(Rule.CAUSE, broken)


def _refusals_stand(facts: list[OrderFacts]) -> LawVerdict:
    """A refusal is definite: nothing was done, so nothing is to be undone. Whoever does not know of it may ask for that all the same."""
    broken = []
    for order in facts:
        for undo, forward in order.saga.undoes.items():
            refusals = {
                f"{order.asked.order_id}:{row.get('answer')}": row
                for row in order.of(forward, Effect.REFUSED)
            }
            for row in order.of(undo, *Effect):
                if refusal := refusals.get(row["caused_by"]):
                    why = f"{order.asked.order_id}: {undo} because {forward} was refused"
                    broken.append((why, [witness(refusal), witness(row)]))
    return _verdict(Rule.REFUSED_IS_DONE, broken)


def _reverse_order(facts: list[OrderFacts], stages: Sequence[Stage]) -> LawVerdict:
    """What was done last is undone first; what was done at the same time may be undone in any order."""
    stage_of = {step.name: number for number, stage in enumerate(stages) for step in stage}
    broken = []
    for order in facts:
        undone: list[dict[str, Any]] = [r for r in order.rows if r["effect"] == Effect.UNDONE]
        numbers = [stage_of[order.saga.undoes[row["operation"]]] for row in undone]
        if numbers != sorted(numbers, reverse=True):
            names = ", ".join(row["operation"] for row in undone)
            why = f"{order.asked.order_id}: undone in the order {names}"
            broken.append((why, [witness(row) for row in undone]))
    return _verdict(Rule.REVERSE, broken)


def _rows_agree(saga: Saga, ledgers: Ledgers) -> LawVerdict:
    """What a business row says of an order is the sum of its ledger rows."""
    broken = []
    for resource in saga.resources:
        if not resource.table:
            continue
        participant, table, columns = resource.participant, resource.table, resource.rows
        net: dict[str, int] = defaultdict(int)
        for row in ledgers[participant]["ledger"]:
            net[row["order_id"]] += row["delta"]
        rows = {row["order_id"]: row for row in ledgers[participant][table]}
        for order_id in sorted(net.keys() | rows.keys()):
            row = rows.get(order_id, {"order_id": order_id})
            stands = sum(sign * row.get(column, 0) for column, sign in columns.items())
            if stands != net[order_id]:
                why = f"{order_id}: {table} say {stands}, the ledger {net[order_id]}"
                proof = {
                    "participant": participant,
                    "table": table,
                    **row,
                }
                broken.append((why, [proof]))
    return _verdict(Rule.ROWS_AGREE, broken)


def _nobody_else(facts: list[OrderFacts], ledgers: Ledgers) -> LawVerdict:
    """Every ledger row belongs to an order that a customer asked for."""
    asked = {order.asked.order_id for order in facts}
    broken = [
        (
            f"{row['operation']} of {row['order_id']}, which nobody ordered",
            [witness({"participant": name, **row})],
        )
        for name, tables in ledgers.items()
        for row in tables["ledger"]
        if row["order_id"] not in asked
    ]
    return _verdict(Rule.NOBODY_ELSE, broken)
