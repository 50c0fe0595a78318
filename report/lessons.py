"""What breaks without a safeguard, for how many customers, and which safeguard prevents it: scenario by scenario."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.arms import guards_in_words
from bench.latency import Proportion, proportion
from bench.results import RunRow
from kernel.guards import Guards
from report.damage import repeated
from report.text_table import Row
from scenarios.catalog.index import scenarios_of
from scenarios.judge.verdict import Judgement, OrderClass
from scenarios.styles.index import STYLES

COLUMNS = ("scenario", "safeguards", "style", "orders hurt", "how")
MOST_LINES = 5
_FALSE_STATUS = "showed their customer a false status"
_HURT: dict[str, str] = {
    OrderClass.DUPLICATED: "had a step executed twice",
    OrderClass.HALF_DONE: "ended half done",
    OrderClass.STUCK: "got stuck unnoticed",
    OrderClass.STUCK_IN_THE_OPEN: "were parked and could not be resumed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """The runs of one scenario in one style with the same safeguards. `how`: kind of damage -> orders. `laws`: the broken ones."""

    scenario: str
    guards: Guards
    style: str
    orders: int
    how: Counter[str]
    laws: tuple[str, ...]

    @property
    def hurt(self) -> int:
        """Orders that ended inconsistent, or whose customer was shown a false status."""
        return self.how.total()

    @property
    def damaged(self) -> bool:
        """Whether an order was hurt or a law broken."""
        return bool(self.hurt or self.laws)

    def line(self) -> Row:
        """As a line of COLUMNS."""
        share: Proportion = proportion(self.hurt, self.orders)
        how = ", ".join(f"{n} {kind}" for kind, n in self.how.most_common())
        return (self.scenario, guards_in_words(str(self.guards)), self.style, share, how)


def arms(rows: Sequence[RunRow]) -> list[Arm]:
    """The arms of these runs, in their order; those without a counterpart, or UNKNOWN, left out."""
    groups: dict[tuple[str, str, str], list[RunRow]] = {}
    for row in rows:
        if not row.no_counterpart and row.verdict["judgement"] != Judgement.UNKNOWN:
            key = (row.scenario, row.about["guards"], row.style)
            groups.setdefault(key, []).append(row)
    return [
        Arm(
            scenario=scenario,
            guards=Guards.parse(guards),
            style=style,
            orders=sum(row.orders for row in runs),
            how=Counter(_kind(order) for row in runs for order in row.bad),
            laws=tuple(
                dict.fromkeys(
                    law["law"] for r in runs for law in r.verdict["laws"] if not law["held"]
                )
            ),
        )
        for (scenario, guards, style), runs in groups.items()
    ]


def _kind(order: dict[str, Any]) -> str:
    """What happened to the order, or only to its customer, as the end of a sentence that begins with the orders."""
    if twice := repeated(order):
        return f"had {next(iter(twice))} done twice"
    return _HURT.get(order["order_class"], _FALSE_STATUS)


def lessons(rows: Sequence[RunRow]) -> list[str]:
    """One sentence for each scenario that hurt somebody without a safeguard, and one about all safeguards together.

    Empty unless the same scenario ran with all safeguards and without one.
    """
    found = arms(rows)
    scenarios = dict.fromkeys(arm.scenario for arm in found)
    what = {row.scenario: _in_a_clause(row) for row in rows}
    each = [[arm for arm in found if arm.scenario == scenario] for scenario in scenarios]
    each.sort(key=lambda own: not any(_teaches(arm) and arm.damaged for arm in own))
    said = [sentence for own in each if (sentence := _lesson(own, what[own[0].scenario]))]
    guarded = [arm for arm in found if arm.guards == Guards.all()]
    if not said or not guarded:
        return []
    said = said[: MOST_LINES - 1]
    hurt, orders = sum(arm.hurt for arm in guarded), sum(arm.orders for arm in guarded)
    share = proportion(hurt, orders)
    return [*said, f"With all safeguards: {share} of the orders are hurt, both styles together."]


def _in_a_clause(row: RunRow) -> str:
    """What the scenario does: the first clause of its description."""
    known = scenarios_of(row.saga).get(row.scenario)
    return known.description.partition(":")[0].partition(". ")[0].rstrip(".") if known else ""


def _lesson(found: Sequence[Arm], what: str) -> str:
    """What this scenario does without the safeguard that it teaches, else without any; "" = nothing."""
    bare = [arm for arm in found if arm.guards == Guards.none()]
    taught = [arm for arm in found if _teaches(arm)]
    shown = taught if any(arm.damaged for arm in taught) else bare
    if not any(arm.damaged for arm in shown) or not any(a.guards == Guards.all() for a in found):
        return ""
    off = str(shown[0].guards).removeprefix("-")
    whose = "Without any safeguard" if shown is bare else f"Without {off}"
    phrases = _counted(shown)
    for name in sorted({a.style for a in found} - {a.style for a in shown}):
        needless = off in STYLES[name].guards_without
        phrases.append(f"{'no counterpart' if needless else 'not known'} in {name}")
    also = ", ".join(f"{a.hurt} of {a.orders} in {a.style}" for a in bare)
    also = f" Hurt without any safeguard: {also}." if shown is taught and bare else ""
    return f"{what} ({found[0].scenario}). {whose}: {'; '.join(phrases)}.{also}"


def _teaches(arm: Arm) -> bool:
    """Whether some safeguards are off, and not all of them."""
    return arm.guards not in (Guards.all(), Guards.none())


def _counted(found: Sequence[Arm]) -> list[str]:
    """`orders ended half done (7 of 30 in choreography, ...)`: arms with the same damage in one phrase."""
    phrases: dict[str, list[str]] = {}
    for arm in found:
        kinds = sorted(arm.how.items(), key=lambda pair: (-pair[1], pair[0]))
        if kinds:
            kind, n = kinds[0]
            more = "".join(f", and {k} {other}" for other, k in kinds[1:])
            what, where = f"orders {kind}", f"{n} of {arm.orders} in {arm.style}{more}"
        else:
            what = f"broken law: {arm.laws[0]}" if arm.laws else "nobody is hurt"
            where = f"in {arm.style}"
        phrases.setdefault(what, []).append(where)
    return [f"{what} ({', '.join(where)})" for what, where in phrases.items()]
