"""The laws of a whole run, from the participants' rows alone. What comes before what is decided by causes: see causes.py."""

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

from kernel.ledger import Effect
from kernel.ports import Ledgers, Parked
from kernel.saga import Saga
from kernel.steps import Stage
from scenarios.judge import balances, budget, messages, reasons
from scenarios.judge.balances import Broken
from scenarios.judge.causes import causes_of
from scenarios.judge.known import Known
from scenarios.judge.oracle import OrderFacts, witness
from scenarios.judge.possible import Impossible
from scenarios.judge.refusals import refusals
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import LawVerdict

MOST_WITNESSES = 20


def judge_laws(
    saga: Saga,
    variant: str,
    facts: Sequence[OrderFacts],
    ledgers: Ledgers,
    *,
    ended: set[str],
    open_for_good: set[str],
    parked: Sequence[Parked],
    given_away: set[str],
    known: Known,
    units: Mapping[str, int] | None,
    impossible: Sequence[Impossible],
    slow: bool,
) -> list[LawVerdict]:
    """Every law.

    `ended`: the orders that count for money; the others are judged by their class. `open_for_good`: those that are stuck.
    `parked`: the register. `given_away`: orders of which an operator has discarded something. `units`: the initial stock; None = not known.
    `impossible`: see possible.py. `slow`: whether the machine was too slow for deadlines and attempts to say anything.
    """
    expired = _expired(saga, ledgers)
    stages = saga.stages(variant)
    unheard: Broken = []
    if not known.conducted:
        arrived = None if slow else known.attempts
        unheard = messages.unheard(
            saga, variant, facts, open_for_good | given_away, parked, expired, arrived
        )
    found: dict[Rule, Broken] = {
        Rule.POSSIBLE: list(impossible),
        Rule.MONEY: balances.money(saga, facts, ended),
        Rule.STOCK: balances.stock(saga, facts, ledgers, units),
        Rule.NOT_OVERSOLD: balances.oversold(saga, ledgers),
        Rule.SIZE: balances.sizes(saga, facts),
        Rule.ROWS_AGREE: balances.rows_agree(saga, facts, ledgers),
        Rule.REFUSED_RIGHTLY: refusals(
            saga, facts, ledgers, units, tombstones=known.guards.tombstones
        ),
        Rule.CAUSED: messages.caused(saga, variant, facts, expired, conducted=known.conducted),
        Rule.STEP_ORDER: _steps_in_order(facts, stages),
        Rule.ONLY_FORWARD: _only_forward(facts),
        Rule.CAUSE: _compensation_has_a_cause(facts),
        Rule.REFUSED_IS_DONE: _refusals_stand(facts, known),
        Rule.REVERSE: _reverse_order(facts, stages),
        Rule.NOT_DROPPED: unheard,
        Rule.ANSWERS: messages.answers_agree(saga, facts, ledgers),
        Rule.PARKED_ONCE: []
        if known.conducted
        else messages.parked_once(
            saga, variant, facts, parked, ledgers, given_away, expired, known
        ),
        Rule.NO_MORE: []
        if slow
        else budget.no_more_than_needed(saga, variant, facts, given_away, known),
        Rule.WHOLE_BUDGET: [] if slow else budget.whole_budget(saga, facts, parked, known),
        Rule.FOR_A_REASON: [] if slow else reasons.undone_for_a_reason(saga, facts, known),
        Rule.DEADLINE: [] if slow else reasons.deadlines(saga, facts, expired, known),
        Rule.NOBODY_ELSE: _nobody_else(saga, facts, ledgers),
    }
    return [_verdict(rule, broken) for rule, broken in found.items()]


def _verdict(law: Rule, broken: Broken) -> LawVerdict:
    return LawVerdict(
        law=str(law),
        held=not broken,
        why="; ".join(why for why, _ in broken[:3]),
        witnesses=[row for _, rows in broken for row in rows][:MOST_WITNESSES],
    )


def _expired(saga: Saga, ledgers: Ledgers) -> set[str]:
    """The orders that the service which opened them has marked as open past their deadline."""
    return {row["order_id"] for row in ledgers[saga.opener].get("orders", []) if row.get("expired")}


def _steps_in_order(facts: Sequence[OrderFacts], stages: Sequence[Stage]) -> Broken:
    """Nothing is done before what its variant of the saga says comes first."""
    follows = [
        (before.name, step.name)
        for earlier, later in pairwise(stages)
        for step in later
        for before in earlier
    ]
    broken: Broken = []
    for order in facts:
        for before, step in follows:
            for row in order.of(step, Effect.DONE):
                came_first = order.history.before(row)
                if not any(r["operation"] == before and r["effect"] == Effect.DONE for r in came_first):  # fmt: skip
                    why = f"{order.asked.order_id}: {step} without {before} before it"
                    rows = [*order.of(before, Effect.DONE), row]
                    broken.append((why, [witness(r) for r in rows]))
    return broken


def _is_final(saga: Saga, row: dict[str, Any]) -> bool:
    return row["operation"] in saga.pivots and row["effect"] == Effect.DONE


def _only_forward(facts: Sequence[OrderFacts]) -> Broken:
    """What is booked is kept, and so is all that led to it."""
    broken: Broken = []
    for order in facts:
        final = [row for row in order.rows if _is_final(order.saga, row)]
        undone = [row for row in order.rows if row["effect"] == Effect.UNDONE]
        if final and undone:
            why = f"{order.asked.order_id}: {undone[0]['operation']} although {final[0]['operation']} is done"
            broken.append((why, [witness(row) for row in (*final, *undone)]))
    return broken


def _compensation_has_a_cause(facts: Sequence[OrderFacts]) -> Broken:
    """A compensation comes after its forward step, or instead of it as a tombstone; one that keeps the effect has one to keep."""
    broken: Broken = []
    for order in facts:
        for undo, forward in order.saga.undoes.items():
            done = order.of(forward, Effect.DONE)
            undone = order.of(undo, Effect.UNDONE)
            buried = order.of(undo, Effect.TOMBSTONE)
            too_early = bool(undone) and not (done and done[0]["seq"] < undone[0]["seq"])
            if too_early or (buried and done):
                why = f"{order.asked.order_id}: {undo} without {forward} before it"
                broken.append((why, [witness(row) for row in (*done, *undone, *buried)]))
            kept = order.of(undo, Effect.KEPT)
            final = [r for r in order.rows if _is_final(order.saga, r)]
            if any(all(r["participant"] != k["participant"] or r["seq"] > k["seq"] for r in final) for k in kept):  # fmt: skip
                why = f"{order.asked.order_id}: {undo} kept what was not there"
                broken.append((why, [witness(row) for row in (*kept, *final)]))
    return broken


def _refusals_stand(facts: Sequence[OrderFacts], known: Known) -> Broken:
    """A refusal is definite: nothing was done, so nothing is to be undone. Whoever could not read it may ask for that all the same."""
    broken: Broken = []
    at_once = known.at_once()
    for order in facts:
        for undo, forward in order.saga.undoes.items():
            refusals = {row["answer"]: row for row in order.of(forward, Effect.REFUSED)}
            for row in order.of(undo, *Effect):
                if (
                    set(causes_of(row)) <= refusals.keys()
                    and forward not in at_once[order.asked.order_id]
                ):
                    refusal = refusals[causes_of(row)[0]]
                    why = f"{order.asked.order_id}: {undo} because {forward} was refused"
                    broken.append((why, [witness(refusal), witness(row)]))
    return broken


def _reverse_order(facts: Sequence[OrderFacts], stages: Sequence[Stage]) -> Broken:
    """What was done last is undone first; what was done at the same time may be undone in any order."""
    stage_of = {step.name: number for number, stage in enumerate(stages) for step in stage}
    broken: Broken = []
    for order in facts:
        undone = [r for r in order.rows if r["effect"] == Effect.UNDONE]
        by_stage = sorted(undone, key=lambda r: -stage_of[order.saga.undoes[r["operation"]]])
        for first, then in combinations(by_stage, 2):
            places = [stage_of[order.saga.undoes[row["operation"]]] for row in (first, then)]
            if places[0] > places[1] and all(row is not first for row in order.history.before(then)):  # fmt: skip
                why = f"{order.asked.order_id}: {then['operation']} without {first['operation']} before it"
                broken.append((why, [witness(row) for row in undone]))
                break
    return broken


def _nobody_else(saga: Saga, facts: Sequence[OrderFacts], ledgers: Ledgers) -> Broken:
    """Every row, of ledger or business, belongs to an order that a customer asked for."""
    asked = {order.asked.order_id for order in facts}
    return [
        (
            f"{row.get('operation', table)} of {row['order_id']}, which nobody ordered",
            [witness({"participant": name, "table": table, **row})],
        )
        for name, tables in ledgers.items()
        for table, rows in tables.items()
        for row in rows
        if "order_id" in row and row["order_id"] not in asked
    ]
