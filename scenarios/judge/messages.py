"""The laws of what is said: caused by what happened, heard by everybody, answered as the ledger says, and parked for good."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import orjson

from kernel.errors import UnreadableMessage
from kernel.ledger import Effect
from kernel.messages import order_json
from kernel.ports import Ledgers, Parked
from kernel.reactions import Reaction
from kernel.rows import reactions_by_rows
from kernel.saga import Saga
from scenarios.judge.balances import Broken
from scenarios.judge.causes import causes_of, names_causes
from scenarios.judge.known import Known
from scenarios.judge.oracle import OrderFacts, witness


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


def caused(
    saga: Saga, variant: str, facts: Sequence[OrderFacts], expired: set[str], *, conducted: bool
) -> Broken:
    """Every row was caused by something that happened, and where services react, by what they should react to."""
    leads_to: dict[str, set[str]] = defaultdict(set)
    for reaction in reactions_by_rows(saga, variant):
        for kind in reaction.hears():
            leads_to[kind.__name__].add(reaction.command.__name__)
    broken: Broken = []
    for order in facts:
        happened = order.announced()
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


def unheard(
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
    leading = operations_after(saga, variant)
    broken: Broken = []
    for order in facts:
        order_id = order.asked.order_id
        if order_id in spared or "" in waiting[order_id]:
            continue
        announced = order.announced()
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


def parked_once(
    saga: Saga,
    variant: str,
    facts: Sequence[OrderFacts],
    parked: Sequence[Parked],
    ledgers: Ledgers,
    given_away: set[str],
    expired: set[str],
    known: Known,
) -> Broken:
    """What an operator has is there once, and nobody does it meanwhile; a customer may send her order twice.

    A service that has parked a step does not park it again; but messages that never came to it are parked by the broker, each of them.
    """
    broken = _remembered(facts, parked, ledgers, given_away, known)
    own = {"", saga.forward[0]}
    rows_of = {f.asked.order_id: [witness(r) for r in f.rows] for f in facts}
    letters = Counter((p.order_id, p.operation) for p in parked if p.operation not in own)
    done = {(f.asked.order_id, str(r["operation"])): r for f in facts for r in f.rows}
    leading = operations_after(saga, variant)
    announced = {f.asked.order_id: f.announced() for f in facts}
    for order_id in expired & announced.keys():
        announced[order_id].add(saga.expired.__name__)
    for (order_id, operation), n in letters.items():
        row = done.get((order_id, operation))
        most = len(leading(operation, announced.get(order_id, set()), each=True))
        if n > max(1, most) and not known.shared:
            broken.append(
                (f"{order_id}: {operation} is parked {n} times", rows_of.get(order_id, []))
            )
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
            elif order_id not in asked or not names_causes(row["caused_by"], order_id):  # fmt: skip
                why = f"because of {row['caused_by']!r:.60}"
            if why:
                proof = {"participant": name, "table": "parked", **row}
                broken.append((f"{name} has parked {message_id}, {why}", [proof]))
    rows_of = {f.asked.order_id: [witness(r) for r in f.rows] for f in facts}
    remembered = {row["message_id"] for tables in ledgers.values() for row in tables["parked"]}
    for message_id in sorted(shown - remembered):
        if message_id.rpartition(":")[0] in asked:
            rows = rows_of[message_id.rpartition(":")[0]]
            broken.append((f"{message_id} is parked, and its service has forgotten it", rows))
    return broken


def answers_agree(saga: Saga, facts: Sequence[OrderFacts], ledgers: Ledgers) -> Broken:
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
