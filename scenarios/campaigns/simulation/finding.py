"""What is wrong with a simulated run, if anything: the judge's rules, and that it ended at all."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from scenarios.campaigns.simulation.schedule import TIME_SCALE, Schedule
from scenarios.campaigns.simulation.simulated import Simulated
from scenarios.faults.plan import BROKEN_PROMISES, CRASHES, DISTURBANCES
from scenarios.judge.verdict import BAD, OrderClass, Verdict, Witness
from scenarios.runs.driver import Ended

NEVER_SETTLED = "every saga ends once the faults have"
"""Liveness: the run must be quiet by twice the saga deadline and what faults hold back (see Driver.settle)."""
FAILED = "nothing fails unseen"
LEFT_OVER = "nothing is left to do once every saga has ended"
NEEDLESS = "an order that nothing happened to is confirmed"
"""Or refused, where there are too few units. Otherwise a system that does nothing would never be wrong."""
_WELL = {
    "any_ending": {OrderClass.COMMITTED},
    "scarce": {OrderClass.COMMITTED, OrderClass.COMPENSATED, OrderClass.REJECTED},
}
"""How orders end that nothing happens to, in the scenarios that draw no faults of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A schedule under which something is wrong.

    `rules`: those that are broken. `kind`: what makes it the same as another: style, rules, and the rows that witness it, without
    their orders. `why`: in words, one line each.
    """

    schedule: Schedule
    rules: tuple[str, ...]
    kind: str
    why: tuple[str, ...]


def rules_of(findings: Iterable[Finding]) -> set[str]:
    """All rules that any of them breaks."""
    return {rule for one in findings for rule in one.rules}


def finding(schedule: Schedule, simulated: Simulated) -> Finding | None:
    """What is wrong with a run; None if nothing is."""
    rules: dict[str, str] = {}
    witnesses: list[Witness] = []
    ended = simulated.ended
    failed = simulated.failure or "; ".join(simulated.hitches)
    if failed:
        rules[FAILED] = failed
    if ended is not None:
        if ended.settlement.how == "deadline":
            waiting = ", ".join(ended.settlement.open_orders) or "ledgers"
            waited_s = ended.settlement.waited_s / TIME_SCALE
            rules[NEVER_SETTLED] = f"{waiting} had not come to rest after {waited_s:.0f} s"
        elif simulated.backlog:
            rules[LEFT_OVER] = f"{simulated.backlog} messages or executions"
        if harmed := _harmed_without_cause(schedule, ended):
            rules[NEEDLESS] = harmed
        for rule, why, seen in _broken(ended.verdict):
            rules.setdefault(rule, why)
            witnesses += seen
    if not rules:
        return None
    rows = sorted({_row(witness) for witness in witnesses})
    told = [_without_numbers(failed)] if failed else []
    kind = "; ".join([schedule.style, *sorted(rules), *rows, *told])
    return Finding(
        schedule=schedule,
        rules=tuple(sorted(rules)),
        kind=kind,
        why=tuple(f"{rule}: {why}" for rule, why in rules.items()),
    )


def _harmed_without_cause(schedule: Schedule, ended: Ended) -> str:
    """Orders that did not end well although no fault struck them, nor anything that others share; "" = none.

    Delays are no excuse: they are too few and too short to use up a retry budget.
    """
    struck = [i for i in ended.injections if i.struck and not schedule.is_delay(i.fault)]
    well = _WELL.get(schedule.scenario)
    if (
        well is None
        or schedule.guards != "all"
        or any(i.moment in CRASHES | DISTURBANCES | BROKEN_PROMISES for i in struck)
    ):
        return ""
    ill = {o.order_id: o.order_class for o in ended.verdict.orders if o.order_class not in well}
    harmed = sorted(ill.keys() - {i.order_id for i in struck})
    return ", ".join(f"{order_id} is {ill[order_id]}" for order_id in harmed)


def _broken(verdict: Verdict) -> Iterator[tuple[str, str, list[Witness]]]:
    for order in verdict.orders:
        if order.order_class in BAD or order.lied:
            for rule in order.rules:
                yield rule, f"{order.order_id} is {order.order_class}: {order.why}", order.witnesses
    for law in verdict.laws:
        if not law.held:
            yield law.law, law.why, law.witnesses


def _row(witness: Witness) -> str:
    """A witness as a kind: who did what, not to which order."""
    return " ".join(
        str(witness[k])
        for k in ("participant", "table", "operation", "effect", "status")
        if k in witness
    )


def _without_numbers(text: str) -> str:
    return re.sub(r"\d+", "#", text)[:200]


def states(style: str, log: list[tuple[Any, ...]]) -> set[int]:
    """The distinct states that the sagas of a run went through, as hashes.

    A state is all that has happened to one saga so far: requests, answers, failures and faults, however they were ordered.
    """
    so_far: dict[str, int] = {}
    found = set()
    for _, what, *rest in log:
        if what in ("called", "returned", "failed"):
            order_id, *seen = rest
        elif what == "struck":
            order_id, seen = rest[1], [rest[2], *rest[3:]]
        else:
            continue
        now = (so_far.get(order_id, 0) + _hashed(style, what, *seen)) % 2**64
        so_far[order_id] = now
        found.add(now)
    return found


@lru_cache(maxsize=10_000)
def _hashed(*what: Any) -> int:
    return int.from_bytes(blake2b(repr(what).encode(), digest_size=8).digest())
