"""What became of one of many small runs, and which is worse."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.faults.plan import FaultPlan
from scenarios.faults.planned import without_effect
from scenarios.judge.verdict import BAD, BROKEN_LAW, LIED, Judgement, OrderClass, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a job, as a line of JSON.

    `orders`: [class, lied, rules] of each. `laws`: those that broke. `failures`: the problems but for faults that never
    struck. `faults`: [reached, struck, changed] counts of each line of the plan. `operations`: those that have a row in any
    ledger of an order that the plan strikes. `folder`: where the run lies, if it was kept; `replay`: the command that does
    it again.
    """

    key: str
    judgement: str
    as_expected: bool
    classes: dict[str, int]
    orders: list[list[Any]]
    laws: list[str]
    problems: list[str]
    failures: list[str]
    faults: list[list[int]]
    operations: list[str]
    replay: str
    folder: str = ""

    def severity(self) -> list[str]:
        """All that is in it, from the worst on, in the order of SEVERITY."""
        found = {order_class for order_class, _, _ in self.orders}
        found |= {LIED for _, lied, _ in self.orders if lied}
        found |= {BROKEN_LAW} if self.laws else set()
        found |= {"unknown"} if self.judgement == Judgement.UNKNOWN else set()
        return [name for name in SEVERITY if name in found]

    def worst(self) -> str:
        """The worst thing in it."""
        return self.severity()[0]

    def where_it_ended(self) -> str:
        """What became of the orders, in short."""
        return ", ".join(f"{n} {name}" for name, n in self.classes.items())

    def problems_of(self, worst: str) -> list[str]:
        """Why it is as bad as that, at most three reasons."""
        if worst == "unknown":
            return self.failures[:3]
        ranked = [
            rule
            for wanted in (True, False)
            for order_class, lied, rules in self.orders
            for rule in rules
            if ((order_class == worst) or (worst == LIED and lied)) is wanted
        ]
        return list(dict.fromkeys([*ranked, *self.laws]))[:3]

    def count(self, worst: str) -> int:
        """How many orders are as bad as that."""
        if worst == LIED:
            return sum(bool(lied) for _, lied, _ in self.orders)
        return self.classes.get(worst, 0)


def outcome_of(
    key: str,
    verdict: Verdict,
    *,
    plan: FaultPlan,
    injections: Iterable[Mapping[str, Any]],
    operations: Iterable[str],
    replay: str = "",
    folder: str = "",
) -> Outcome:
    """What became of a run. `injections`: lines of faults.jsonl. The others: see Outcome."""
    faults = [[0, 0, 0] for _ in plan.faults]
    for injection in injections:
        for place, name in enumerate(("reached", "struck", "changed")):
            faults[injection["fault"]][place] += injection[name]
    idle = without_effect(plan, {number for number, counts in enumerate(faults) if counts[1]})
    return Outcome(
        key=key,
        judgement=verdict.judgement,
        as_expected=verdict.as_expected,
        classes={name: n for name, n in verdict.counts().items() if n},
        orders=[[o.order_class, o.lied, o.rules] for o in verdict.orders],
        laws=[law.law for law in verdict.laws if not law.held],
        problems=verdict.problems,
        failures=[problem for problem in verdict.problems if problem not in idle],
        faults=faults,
        operations=sorted(set(operations)),
        replay=replay,
        folder=folder,
    )


SEVERITY = (
    OrderClass.DUPLICATED,
    OrderClass.HALF_DONE,
    OrderClass.STUCK,
    OrderClass.STUCK_IN_THE_OPEN,
    LIED,
    BROKEN_LAW,
    "unknown",
    OrderClass.PARKED,
    OrderClass.LATE,
    OrderClass.COMPENSATED,
    OrderClass.REJECTED,
    OrderClass.COMMITTED,
)
"""From the worst to the best that a run can have in it."""
INCONSISTENT = frozenset({*BAD, LIED, BROKEN_LAW})
