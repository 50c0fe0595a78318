"""The laws of a whole run, from the participants' rows alone. What comes before what is decided by causes: see causes.py."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import orjson

from kernel.errors import UnreadableMessage
from kernel.ledger import Effect
from kernel.messages import order_json
from kernel.ports import Ledgers, Parked
from kernel.rows import reactions_by_rows
from kernel.saga import Saga
from kernel.steps import Stage
from scenarios.judge import balances, reasons
from scenarios.judge.balances import Broken
from scenarios.judge.causes import causes_of
from scenarios.judge.oracle import OrderFacts, witness
from scenarios.judge.possible import Impossible
from scenarios.judge.reasons import Known
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
        unheard = _unheard(
            saga, variant, facts, open_for_good | given_away, parked, expired, arrived
        )
    found: dict[Rule, Broken] = {
        Rule.POSSIBLE: list(impossible),
        Rule.MONEY: balances.money(saga, facts, ended),
        Rule.STOCK: balances.stock(saga, facts, ledgers, units),
        Rule.NOT_OVERSOLD: balances.oversold(saga, ledgers),
        Rule.SIZE: balances.sizes(saga, facts),
        Rule.ROWS_AGREE: balances.rows_agree(saga, facts, ledgers),
        Rule.REFUSED_RIGHTLY: balances.refusals(
            saga, facts, ledgers, units, tombstones=known.guards.tombstones
        ),
        Rule.CAUSED: _caused(saga, variant, facts, expired, conducted=known.conducted),
        Rule.STEP_ORDER: _steps_in_order(facts, stages),
        Rule.ONLY_FORWARD: _only_forward(facts),
        Rule.CAUSE: _compensation_has_a_cause(facts),
        Rule.REFUSED_IS_DONE: _refusals_stand(facts, known),
        Rule.REVERSE: _reverse_order(facts, stages),
        Rule.NOT_DROPPED: unheard,
        Rule.ANSWERS: _answers_agree(saga, facts, ledgers),
        Rule.PARKED_ONCE: []
        if known.conducted
        else _parked_once(saga, facts, parked, ledgers, given_away, known),
        Rule.NO_MORE: []
        if slow
        else reasons.no_more_than_needed(saga, variant, facts, given_away, known),
        Rule.WHOLE_BUDGET: [] if slow else reasons.whole_budget(saga, facts, parked, known),
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


def _caused(
    saga: Saga, variant: str, facts: Sequence[OrderFacts], expired: set[str], *, conducted: bool
) -> Broken:
    """Every row was caused by something that happened, and where services react, by what they should react to."""
    leads_to: dict[str, set[str]] = defaultdict(set)
    for reaction in reactions_by_rows(saga, variant):
        for kind in reaction.hears():
            leads_to[kind.__name__].add(reaction.command.__name__)
    broken: Broken = []
    for order in facts:
        happened = {str(row["answer"]) for row in order.rows}
        if order.asked.order_id in expired:
            happened.add(saga.expired.__name__)
        for row in order.rows:
            opening = row["operation"] == saga.forward[0]
            for cause in causes_of(row):
                why = ""
                if opening or cause == "customer":
                    if not (opening and cause == "customer"):
                        why = f"{row['operation']} because of {cause}"
                elif cause not in happened:
                    why = f"{row['operation']} because of {cause}, which never happened"
                elif not conducted and row["operation"] not in leads_to.get(cause, ()):
                    why = f"{row['operation']} because of {cause}, which does not lead to it"
                if why:
                    broken.append((f"{order.asked.order_id}: {why}", [witness(row)]))
    return broken


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


def _unheard(
    saga: Saga,
    variant: str,
    facts: Sequence[OrderFacts],
    spared: set[str],
    parked: Sequence[Parked],
    expired: set[str],
    arrived: Mapping[tuple[str, str], int] | None,
) -> Broken:
    """Whatever a service announced, every service that should react to it has acted on, or left it to an operator.

    `arrived`: how often requests came, None = nobody counted. Where several announcements lead to one operation, only the first has a
    row; but each must have led to a request.
    """
    waiting: dict[str, set[str]] = defaultdict(set)
    for letter in parked:
        waiting[letter.order_id].add(letter.operation)
    leading = reasons.operations_after(saga, variant)
    broken: Broken = []
    for order in facts:
        order_id = order.asked.order_id
        if order_id in spared or "" in waiting[order_id]:
            continue
        announced = {str(row["answer"]) for row in order.rows}
        if order_id in expired and not any(p.reported and p.order_id == order_id for p in parked):
            announced.add(saga.expired.__name__)
        acted = {row["operation"] for row in order.rows}
        for operation in saga.operations:
            heard = [] if operation == saga.forward[0] else leading(operation, announced)
            came = math.inf if arrived is None else arrived.get((order_id, operation), 0)
            if heard and operation not in waiting[order_id] and (operation not in acted or came < len(heard)):  # fmt: skip
                why = (
                    f"{order_id}: {' and '.join(heard)} should lead to {operation}, and one did not"
                )
                told = [r for r in order.rows if r["answer"] in heard] or order.rows
                broken.append((why, [witness(row) for row in told]))
    return broken


def _parked_once(
    saga: Saga,
    facts: Sequence[OrderFacts],
    parked: Sequence[Parked],
    ledgers: Ledgers,
    given_away: set[str],
    known: Known,
) -> Broken:
    """What an operator has is there once, and nobody does it meanwhile; a customer may send her order twice."""
    broken: Broken = []
    broken += _remembered(facts, parked, ledgers, given_away, known)
    own = {"", saga.forward[0]}
    letters = Counter((p.order_id, p.operation) for p in parked if p.operation not in own)
    done = {(f.asked.order_id, str(r["operation"])): r for f in facts for r in f.rows}
    for (order_id, operation), n in letters.items():
        row = done.get((order_id, operation))
        if n > 1 and not known.shared:
            broken.append((f"{order_id}: {operation} is parked {n} times", []))
        elif row is not None and row["effect"] != Effect.GAVE_UP:
            why = f"{order_id}: {operation} is parked, and was done all the same"
            broken.append((why, [witness(row)]))
    return broken


def _remembered(
    facts: Sequence[OrderFacts],
    parked: Sequence[Parked],
    ledgers: Ledgers,
    given_away: set[str],
    known: Known,
) -> Broken:
    """What a participant has left to an operator is what an operator can see, and the other way round."""
    shown = {f"{p.order_id}:{p.operation}" for p in parked if p.operation}
    asked = {f.asked.order_id for f in facts} - given_away
    broken: Broken = []
    for name, tables in ledgers.items():
        if "parked" not in tables:
            return []
        for row in tables["parked"]:
            message_id = row["message_id"]
            order_id = message_id.rpartition(":")[0]
            why = ""
            if order_id in given_away:
                continue
            if message_id not in shown:
                why = "and no operator can see it"
            elif row["shown"] != 1 and not known.shared:  # a crash may come before it notes that
                why = "and does not know that an operator can see it"
            elif order_id not in asked or any(c.rpartition(":")[0] != order_id for c in row["caused_by"].split()) or not causes_of(row):  # fmt: skip
                why = f"because of {row['caused_by']!r:.60}"
            if why:
                proof = {"participant": name, "table": "parked", **row}
                broken.append((f"{name} has parked {message_id}, {why}", [proof]))
    remembered = {row["message_id"] for tables in ledgers.values() for row in tables["parked"]}
    for message_id in sorted(shown - remembered):
        if message_id.rpartition(":")[0] in asked:
            broken.append((f"{message_id} is parked, and its service has forgotten it", []))
    return broken


def _answers_agree(saga: Saga, facts: Sequence[OrderFacts], ledgers: Ledgers) -> Broken:
    """What a participant answered, and will answer again, is what its ledger says, to that command, about that order."""
    asked = {f.asked.order_id: f.asked for f in facts}
    broken: Broken = []
    for name in saga.services:
        if "inbox" not in ledgers[name]:
            continue
        answers: dict[str, set[str]] = defaultdict(set)
        for row in ledgers[name]["ledger"]:
            answers[row["message_id"]].add(row["answer"])
        kept = {row["message_id"]: row["answer"] for row in ledgers[name]["inbox"]}
        for message_id in sorted(answers.keys() | kept.keys()):
            order_id = message_id.rpartition(":")[0]
            why = ""
            if message_id not in kept:
                why = "is in no inbox"
            elif message_id not in answers:
                why = "is in an inbox, and in no ledger"
            elif order_id in asked:
                contents = [order_json(content) for content in asked[order_id].contents]
                why = _wrong_answer(
                    saga, kept[message_id], message_id, answers[message_id], contents
                )
            if why:
                proof = {"participant": name, "table": "inbox", "message_id": message_id}
                broken.append((f"{message_id} {why}", [proof]))
    return broken


def _wrong_answer(
    saga: Saga, text: str, message_id: str, wanted: set[str], contents: list[dict[str, Any]]
) -> str:
    try:
        answer = saga.codec.from_bytes(text)
    except (UnreadableMessage, TypeError):
        return "has an answer that cannot be read"
    if answer.name not in wanted:
        return f"was answered {answer.name}, the ledger says {min(wanted)}"
    if answer.caused_by != message_id:
        return f"has an answer to {answer.caused_by}"
    written = orjson.loads(text).get("message_id")
    if written != answer.message_id:
        return f"has an answer that calls itself {written}"
    return "" if order_json(answer.order) in contents else "has an answer about another order"


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
