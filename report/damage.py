"""Who was hurt, and why: the orders that ended wrong, by arm, with the fault that struck them and the safeguard that was off."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.latency import Proportion, proportion
from bench.results import RunRow
from kernel.guards import OFF, Guards
from kernel.ledger import Effect
from report.columns import OrderRow, order_rows
from report.text_table import Row
from scenarios.faults.plan import MEANING, Moment
from scenarios.judge.predictions import predictions
from scenarios.judge.verdict import LIED, OrderClass
from scenarios.styles.index import STYLES

COLUMNS = ("scenario", "arm", "what", "orders", "which", "why")
MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Orders of one run that ended in the same wrong way. `why`: the reason that most of them share."""

    scenario: str
    arm: str
    what: str
    orders: Proportion
    order_ids: tuple[str, ...]
    why: str

    def which(self) -> str:
        """The first of them by name."""
        more = len(self.order_ids) - MOST_NAMED
        return ", ".join(self.order_ids[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

    def line(self, *, every: bool = False) -> Row:
        """As a line of COLUMNS. `every`: with all orders by name."""
        which = "; ".join(self.order_ids) if every else self.which()
        return (self.scenario, self.arm, self.what, self.orders, which, self.why)


def in_words(alike: Sequence[Damage]) -> str:
    """One sentence about the same damage to the same orders in several arms."""
    one = alike[0]
    arms = " and ".join(damage.arm for damage in alike)
    n = f"{one.orders.k} of {one.orders.n}"
    return f"{one.scenario} in {arms}: {n} orders are {one.what} ({one.which()}). Why: {one.why}."


def alike(found: Sequence[Damage]) -> list[list[Damage]]:
    """Damages that differ in their arm alone, together."""
    groups: dict[tuple[str, str, tuple[str, ...], str], list[Damage]] = {}
    for one in found:
        groups.setdefault((one.scenario, one.what, one.order_ids, one.why), []).append(one)
    return list(groups.values())


def damages(rows: Sequence[RunRow]) -> list[Damage]:
    """Every kind of damage in these runs."""
    return [found for row in rows if row.bad and not row.no_counterpart for found in _in(row)]


def _in(row: RunRow) -> Iterator[Damage]:
    wrong = {order["order_id"] for order in row.bad}
    kinds: dict[str, list[OrderRow]] = {}
    for order in order_rows(row):
        if order.verdict["order_id"] in wrong:
            kinds.setdefault(_what(order), []).append(order)
    for what, orders in kinds.items():
        reasons = Counter(_why(row, order) for order in orders)
        yield Damage(
            scenario=row.scenario,
            arm=row.label,
            what=what,
            orders=proportion(len(orders), row.orders),
            order_ids=tuple(order.verdict["order_id"] for order in orders),
            why=reasons.most_common(1)[0][0],
        )


def _what(order: OrderRow) -> str:
    verdict = order.verdict
    kind = str(verdict["order_class"])
    return f"{kind}, and their customers were shown what is not so" if verdict[LIED] else kind


def _why(row: RunRow, order: OrderRow) -> str:
    """The judge's reason, what struck the order, and what the missing safeguard would have done."""
    reason = _repeated(order) or order.verdict["why"].replace(f"{order.verdict['order_id']}: ", "")
    return "; ".join(filter(None, [reason, _struck(order), _unguarded(row, order)]))


def repeated(verdict: Mapping[str, Any]) -> dict[str, int]:
    """Operation -> how often, of everything that was applied more than once to an order that is duplicated."""
    if verdict["order_class"] != OrderClass.DUPLICATED:
        return {}
    applied = Counter(
        row["operation"]
        for row in verdict["witnesses"]
        if row.get("effect") in (Effect.DONE, Effect.UNDONE)
    )
    return {name: n for name, n in applied.items() if n > 1}


def _repeated(order: OrderRow) -> str:
    return ", ".join(
        f"{name} was applied {'twice' if n == 2 else f'{n} times'}"
        for name, n in repeated(order.verdict).items()
    )


def broken_laws(rows: Sequence[RunRow]) -> list[str]:
    """One sentence for each law that a run broke."""
    return [
        f"Broken law in {row.scenario}, {row.label}: {law['law']}: {law['why']}."
        for row in rows
        for law in row.verdict["laws"]
        if not law["held"]
    ]


def _struck(order: OrderRow) -> str:
    for fault in order.faults:
        moment, _, operation = fault.partition(" at ")
        return f"the fault: {MEANING[Moment(moment)].partition(';')[0]} ({operation})"
    return ""


def _unguarded(row: RunRow, order: OrderRow) -> str:
    """What is known to go wrong with this fault where one of the run's guards is off."""
    guards = Guards.parse(row.about["guards"])
    off = {name for name in OFF if not getattr(guards, name)}
    struck = {fault.partition(" at ")[0] for fault in order.faults}
    conducted = STYLES[row.style].conducted
    for known in predictions(row.saga):
        if (
            known.guard in off
            and struck & set(known.moments)
            and known.conducted in (None, conducted)
        ):
            return f"without {known.guard}, {known.because}"
    return f"safeguards off: {', '.join(sorted(off))}" if off else ""
