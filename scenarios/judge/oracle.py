"""The judge. It reads the participants' own rows, and then, and only then, the register of what is parked.

It knows no broker, no engine and no client: what it is told by them is checked against the ledgers.
"""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kernel.errors import UnreadableMessage
from kernel.ledger import Effect
from kernel.orders import CANCELLED, CONFIRMED, PENDING, REJECTED
from kernel.ports import Ledgers, Parked
from kernel.saga import Saga
from scenarios.judge.causes import History
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import OrderClass, OrderVerdict, Witness

_HIDDEN = ("wall_s", "mono_s", "placed_wall_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One line of orders.jsonl: what was ordered, and what the customer was told."""

    order: Any
    accepted: bool
    told: tuple[str, ...]
    """Every status the customer was shown, in order; the last one after the run had settled."""
    intended_mono_s: float
    accepted_mono_s: float | None = None
    also: tuple[Any, ...] = ()
    """Other contents that were sent under the same order_id."""
    reads: tuple[tuple[str, str], ...] = ()
    """Statuses that were read while the run lasted, oldest first, each with the status that the ledgers' service had just afterwards."""

    @property
    def contents(self) -> tuple[Any, ...]:
        """Everything that was sent under this order_id."""
        return (self.order, *self.also)

    @property
    def order_id(self) -> str:
        """Names the saga."""
        return str(self.order.order_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """All that the ledgers say about one order. Rows have their participant added; see History for their order."""

    saga: Saga
    asked: Asked
    history: History
    status: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Every ledger row of the order."""
        return self.history.rows

    def of(self, operation: str, *effects: Effect) -> list[dict[str, Any]]:
        """The order's ledger rows of this operation with one of these effects."""
        return [r for r in self.rows if r["operation"] == operation and r["effect"] in effects]

    def announced(self) -> set[str]:
        """Everything that was answered, and so announced where services react."""
        return {str(row["answer"]) for row in self.rows}

    def net(self, participant: str) -> int:
        """The sum of all changes that this order made at a participant."""
        return sum(row["delta"] for row in self.rows if row["participant"] == participant)

    def ended_mono_s(self) -> float | None:
        """When the service that opened it last changed the order for good."""
        last = [
            row["mono_s"]
            for row in self.rows
            if row["participant"] == self.saga.opener
            and (row["operation"] != self.saga.forward[0] or row["effect"] == Effect.REFUSED)
        ]
        return max(last) if last and self.status != PENDING else None

    def lasted_s(self) -> float | None:
        """How long it took from the customer's intent to the end, on clocks that may differ: the wait for acceptance by the customer's,
        the rest by that of the service which opened it. None = it has not ended.
        """
        ended, opened = self.ended_mono_s(), self.opened_mono_s()
        if ended is None or opened is None:
            return None
        asked = self.asked
        waited_s = (asked.accepted_mono_s or asked.intended_mono_s) - asked.intended_mono_s
        return ended - opened + max(0.0, waited_s)

    def opened_mono_s(self) -> float | None:
        """When the service that opens sagas first wrote anything about it."""
        own = [row["mono_s"] for row in self.rows if row["participant"] == self.saga.opener]
        return min(own, default=None)

    def seen_mono_s(self) -> float | None:
        """When any participant last wrote anything about the order; None = none ever did."""
        return max((float(row["mono_s"]) for row in self.rows), default=None)


def gather(saga: Saga, asked: Iterable[Asked], ledgers: Ledgers) -> list[OrderFacts]:
    """The facts of every order asked for."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for participant, tables in ledgers.items():
        for row in tables["ledger"]:
            rows[row["order_id"]].append({"participant": participant, **row})
    opened = {row["order_id"]: row for row in ledgers[saga.opener]["orders"]}
    facts = []
    for order in asked:
        history = History(rows[order.order_id])
        row = opened.get(order.order_id, {})
        status = str(row.get("status", "")) or _status_without_row(saga, history.rows)
        meant = replace(order, order=_accepted(saga, order, row.get("message"))) if order.also else order  # fmt: skip
        facts.append(OrderFacts(saga=saga, asked=meant, history=history, status=status))
    return facts


def _accepted(saga: Saga, asked: Asked, message: Any) -> Any:
    """Of several contents under one order_id the one that was opened, if it is known."""
    with contextlib.suppress(UnreadableMessage, TypeError):
        opened = saga.codec.from_bytes(message).order
        if opened in asked.contents:
            return opened
    return asked.order


def _status_without_row(saga: Saga, rows: list[dict[str, Any]]) -> str:
    cancelled = any(r["operation"] == saga.ended_by.get(CANCELLED) for r in rows)
    return CANCELLED if cancelled else ""


def judge_order(
    facts: OrderFacts,
    parked: Mapping[str, Parked],
    *,
    saga_deadline_s: float,
    finished: bool = False,
) -> OrderVerdict:
    """The class of one order, with the rows that prove it if it is a bad one.

    `saga_deadline_s` may be infinite. `finished`: it was redriven when its faults were over, so nothing keeps it from ending.
    """
    order_class, why, proof, rules = _class_of(facts, parked, saga_deadline_s)
    if finished and order_class is OrderClass.PARKED and parked[facts.asked.order_id].operation:
        order_class, proof, rules = OrderClass.STUCK_IN_THE_OPEN, facts.rows, [Rule.RESUMABLE]
        why = f"redriven after its faults were over, and {why}"
    lie = _lie(facts)
    if lie:
        why, proof = (f"{why}; {lie}" if why else lie), proof or facts.rows
        rules = [*rules, Rule.TOLD_THE_TRUTH]
    return OrderVerdict(
        order_id=facts.asked.order_id,
        order_class=order_class,
        why=why,
        lied=bool(lie),
        witnesses=[witness(row) for row in proof],
        rules=[str(rule) for rule in rules],
    )


def _class_of(
    facts: OrderFacts, parked: Mapping[str, Parked], saga_deadline_s: float
) -> tuple[OrderClass, str, list[dict[str, Any]], list[Rule]]:
    if twice := _applied_twice(facts):
        effects = sorted({row["effect"] for row in twice})
        rules = [Rule.ONCE if effect == Effect.DONE else Rule.UNDONE_ONCE for effect in effects]
        return OrderClass.DUPLICATED, f"{twice[0]['operation']} was applied twice", twice, rules
    if facts.status in _ENDED:
        if wrong := _wrong_effects(facts):
            why = f"{facts.status}, but {', '.join(wrong)}"
            return OrderClass.HALF_DONE, why, facts.rows, list(dict.fromkeys(wrong.values()))
        lasted_s = facts.lasted_s()
        if lasted_s is not None and lasted_s > saga_deadline_s:
            return OrderClass.LATE, f"{facts.status} after the saga deadline", [], []
        return _ENDED[facts.status], "", [], []
    if not facts.asked.accepted and not facts.rows:
        return OrderClass.REJECTED, "never accepted, no effect anywhere", [], []
    waiting = parked.get(facts.asked.order_id)
    if waiting is None:
        return OrderClass.STUCK, _open(facts), facts.rows, [Rule.ENDS_OR_SHOWS]
    at = f" at {waiting.operation}" if waiting.operation else ""
    why = f"{waiting.where}{at}: {waiting.why}"
    if waiting.operation not in facts.saga.may_park and not waiting.reported:
        why = f"{_open(facts)}, and {why}, without compensation"
        return OrderClass.STUCK, why, facts.rows, [Rule.PARKED_IN_PLACE]
    return OrderClass.PARKED, why, [], []


_ENDED = {
    CONFIRMED: OrderClass.COMMITTED,
    CANCELLED: OrderClass.COMPENSATED,
    REJECTED: OrderClass.REJECTED,
}


def _applied_twice(facts: OrderFacts) -> list[dict[str, Any]]:
    done = Counter(
        (row["operation"], row["effect"])
        for row in facts.rows
        if row["effect"] in (Effect.DONE, Effect.UNDONE)
    )
    return [row for row in facts.rows if done[row["operation"], row["effect"]] > 1]


def _wrong_effects(facts: OrderFacts) -> dict[str, Rule]:
    """What is missing or left over for the status that the order service claims, with the rule that it breaks."""
    confirmed, saga = facts.status == CONFIRMED, facts.saga
    wanted = saga.wanted(facts.asked.order, confirmed=confirmed)
    rule = Rule.CONFIRMED_IS_WHOLE if confirmed else Rule.ENDED_IS_CLEAN
    wrong = {
        f"{name} stands at {facts.net(name)} instead of {net}": rule
        for name, net in wanted.items()
        if facts.net(name) != net
    }
    if confirmed:
        needed = [step.name for step in saga.steps if not step.aside]
        missing = [name for name in needed if not facts.of(name, Effect.DONE)]
        wrong |= {f"{name} was never done": rule for name in missing}
    else:
        left = [f for u, f in saga.undoes.items() if _outnumbers(facts, f, u)]
        wrong |= {f"{name} was never undone": rule for name in left}
    ending = saga.ended_by.get(facts.status, "way to end so")
    if not any(row["operation"] == ending for row in facts.rows):
        wrong[f"the ledger has no {ending}"] = Rule.ENDED_BY_A_ROW
    return wrong


def _outnumbers(facts: OrderFacts, forward: str, undo: str) -> bool:
    return len(facts.of(forward, Effect.DONE)) > len(facts.of(undo, Effect.UNDONE))


def _open(facts: OrderFacts) -> str:
    if not facts.rows:
        return "accepted, and no participant has ever heard of it"
    last = facts.rows[-1]
    return f"open since {last['operation']} ({last['effect']})"


def _lie(facts: OrderFacts) -> str:
    """How what the customer was told contradicts the ledgers, "" = not."""
    told, status = facts.asked.told, facts.status
    for final in _ENDED:
        if final in told and status != final:
            return f"the customer was told {final}, the order is {status or 'unknown'}"
        if final in told and (later := set(told[told.index(final) :]) - {final}):
            return f"the customer was told {final}, and {min(later)} afterwards"
    if unknown := [word for word in told if word not in _WORDS]:
        return f"the customer was told {unknown[0]!r:.40}"
    if status in _ENDED and told and told[-1] != status:
        return f"the customer was told {told[-1]} in the end, the order is {status}"
    if status and told[-1:] == ("UNKNOWN",):
        return f"the customer was told that there is no such order, and it is {status}"
    return _misread(facts.asked.reads)


_WORDS = frozenset({PENDING, *_ENDED, "PARKED", "UNKNOWN"})
"""What a customer can be told."""


def _misread(reads: Sequence[tuple[str, str]]) -> str:
    """What somebody who kept reading an order's status was shown wrongly, "" = nothing."""
    known = ""
    for shown, then in reads:
        if shown in _ENDED and then != shown:
            return f"{shown} was shown while the order was {then}"
        if known in _ENDED and shown != known:
            return f"{known} was shown, and {shown} afterwards"
        if known and shown == "UNKNOWN":
            return f"{known} was shown, and no such order afterwards"
        if shown != "UNKNOWN":
            known = shown
    return ""


def witness(row: dict[str, Any]) -> Witness:
    """A row as evidence: without its times, so that the same run gives the same bytes."""
    return {key: value for key, value in row.items() if key not in _HIDDEN}
