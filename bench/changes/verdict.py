"""A rollout judged: every order by the rules of the version that it fits, with the judge of any other run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.changes.rollout import Placed, Rolled, policy
from kernel.ports import Ledgers
from kernel.saga import Saga
from scenarios.catalog.any_ending import SCENARIO
from scenarios.judge import balances
from scenarios.judge.judgement import judge
from scenarios.judge.oracle import Asked, OrderFacts, gather
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import OrderClass
from scenarios.runs.scenario import PLENTY
from scenarios.styles.style import Style

NO_REASON = "cancelled without a reason"
NOT_REFUSED = "confirmed although refused"
LEFT_OVER = "with an effect left over"
NEITHER = "ended as expected, but by the rules of neither version"
_OF_ALL = {str(Rule.STOCK), str(Rule.NOT_OVERSOLD)}
"""Laws about all orders together: see _stock_wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutVerdict:
    """What a rollout did. `orders`: how many there were; `ended`: class -> orders that are right by the rules of one version.

    `wrong`: what is wrong -> how many orders. `failed`: the orders among those that are right of which an operator sees something that
    failed, and `parked` what the style calls that. `died`: services that went down. `why`: the first thing wrong, "" = nothing.
    """

    orders: int
    ended: Mapping[str, int]
    wrong: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    parked: str = ""
    died: tuple[str, ...] = ()
    why: str = ""

    @property
    def clean(self) -> bool:
        """Whether nobody has to look at anything."""
        return not self.why

    def words(self) -> str:
        """In one phrase."""
        most_first = sorted(self.wrong.items(), key=lambda item: -item[1])
        parts = [f"{n} {what}" for what, n in most_first]
        said = [f"{', '.join(parts)} of {self.orders} orders"] if parts else []
        if self.failed:
            said.append(f"a {self.parked} left of {self.failed} that ended right")
        said += [f"{line.partition(':')[0]} went down" for line in self.died]
        return "; ".join(said) or self.why or f"all {self.orders} orders right"

    @property
    def harmed(self) -> tuple[int, int]:
        """How many orders did not end as expected, or have something that failed; and how many ended by the rules of neither version."""
        neither = self.wrong.get(NEITHER, 0)
        return sum(self.wrong.values()) - neither + self.failed, neither


def judged(style: Style, old: Saga, new: Saga, rolled: Rolled) -> RolloutVerdict:
    """The verdict on a rollout."""
    ended, wrong, why = Counter[str](), Counter[str](), ""
    failed = 0
    for one in rolled.placed:
        tried = [_judge_one(style, saga, rolled, one) for saga in _versions_of(one, old, new)]
        order_class, fault, said = min(tried, key=_badness)
        if fault:
            wrong[fault] += 1
            why = why or f"{one.order.order_id}: {said}"
        else:
            ended[order_class] += 1
            failed += one.order.order_id in rolled.failed
    if failed and not why:
        why = f"a {style.parked} left of {failed} orders that ended right"
    if rolled.died:
        why = f"went down: {rolled.died[0]}"
    if not why:
        why = _stock_wrong(old, new, rolled) or ("" if rolled.quiescent else "it did not settle")
    return RolloutVerdict(
        orders=len(rolled.placed),
        ended=dict(ended),
        wrong=dict(wrong),
        failed=failed,
        parked=style.parked,
        died=tuple(rolled.died),
        why=why,
    )


def _versions_of(one: Placed, old: Saga, new: Saga) -> list[Saga]:
    """The sagas by whose rules an order may have gone: the new one's if everything was new, else either that has its fields."""
    names = set(asdict(one.order))
    sagas = [new] if one.by_new else [old, new]
    return [saga for saga in sagas if set(saga.order.__dataclass_fields__) == names]


def _badness(tried: tuple[str, str, str]) -> tuple[bool, int, bool]:
    """What is right comes first, then the mildest: no version's rules are blamed on an order that went by the other one's."""
    order_class, fault, _ = tried
    return bool(fault), -list(OrderClass).index(OrderClass(order_class)), fault == NO_REASON


def _judge_one(style: Style, saga: Saga, rolled: Rolled, one: Placed) -> tuple[str, str, str]:
    """(class, what is wrong in a few words or "", the judge's own words) of one order by the rules of one version."""
    order_id = one.order.order_id
    verdict = judge(
        saga=saga,
        variant=saga.variant,
        scenario=SCENARIO,
        asked=[_asked(saga, one)],
        ledgers=_rows_of(order_id, rolled.ledgers),
        parked=[parked for parked in rolled.parked if parked.order_id == order_id],
        injections=[],
        policy=policy(),
        run_ended_mono_s=rolled.mono_s,
        conducted=style.conducted,
    )
    (found,) = verdict.orders
    refused = one.refusable in saga.refusable
    right = OrderClass.COMPENSATED if refused else OrderClass.COMMITTED
    order_class = str(found.order_class)
    if found.order_class in (OrderClass.COMMITTED, OrderClass.COMPENSATED):
        if found.order_class != right:
            says = f"{order_class}, and expected to be {right}"
            return order_class, NOT_REFUSED if refused else NO_REASON, says
        if strangers := _left_over(saga, rolled.ledgers, order_id, found.order_class):
            return order_class, LEFT_OVER, strangers
        broken = [law for law in verdict.laws if not law.held and law.law not in _OF_ALL]
        if broken:
            return order_class, NEITHER, f"{broken[0].law}: {broken[0].why}"
    elif found.order_class is OrderClass.LATE and not refused:
        return order_class, NO_REASON, "the saga deadline passed, and it was undone"
    if found.order_class == right:
        return order_class, "", ""
    return order_class, order_class, found.why


def _left_over(saga: Saga, ledgers: Ledgers, order_id: str, ended: OrderClass) -> str:
    """What an order that was undone has left at a service that this version does not know."""
    if ended is OrderClass.COMMITTED:
        return ""
    for name in sorted(ledgers.keys() - set(saga.services)):
        rows = [row for row in ledgers[name]["ledger"] if row["order_id"] == order_id]
        if net := sum(row["delta"] for row in rows):
            return f"{name} stands at {net} instead of 0"
    return ""


def _asked(saga: Saga, one: Placed) -> Asked:
    return Asked(
        order=saga.order(**asdict(one.order)),
        accepted=one.accepted_mono_s is not None,
        told=tuple(one.told),
        intended_mono_s=one.asked_mono_s,
        accepted_mono_s=one.accepted_mono_s,
    )


def _rows_of(order_id: str, ledgers: Ledgers) -> dict[str, Any]:
    """The rows about one order, numbered as if there were no others."""

    def about(row: Mapping[str, Any]) -> bool:
        if "order_id" in row:
            return bool(row["order_id"] == order_id)
        return "message_id" not in row or row["message_id"].rpartition(":")[0] == order_id

    def kept(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        mine = [row for row in rows if about(row)]
        return [row | {"seq": n} if "seq" in row else row for n, row in enumerate(mine, 1)]

    return {
        name: {table: kept(rows) for table, rows in tables.items()}
        for name, tables in ledgers.items()
    }


def _stock_wrong(old: Saga, new: Saga, rolled: Rolled) -> str:
    """Whether what is limited adds up over all orders, whichever version they belong to."""
    facts: list[OrderFacts] = []
    for one in rolled.placed:
        saga = _versions_of(one, old, new)[0]
        facts += gather(saga, [_asked(saga, one)], _rows_of(one.order.order_id, rolled.ledgers))
    broken = balances.stock(new, facts, rolled.ledgers, {new.workload.item: PLENTY})
    return broken[0][0] if broken else ""
