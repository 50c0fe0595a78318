"""From rows to a verdict on the whole run: classes, laws, faults that must have struck, the story's expectation."""

import math
from collections.abc import Iterable, Sequence

from scenarios.exposure import timing
from scenarios.fault_plan import Injection, Moment
from scenarios.laws import judge_laws
from scenarios.oracle import Asked, gather, judge_order
from scenarios.scenario import Scenario
from scenarios.verdict import BAD, Judgement, OrderClass, Verdict
from shared_domain.policy import Policy
from shared_domain.ports import Ledgers, Parked


def judge(
    *,
    scenario: Scenario,
    asked: Sequence[Asked],
    ledgers: Ledgers,
    parked: Iterable[Parked],
    injections: Sequence[Injection],
    policy: Policy,
    run_ended_mono_s: float,
    failures: Sequence[str] = (),
) -> Verdict:
    """The verdict. `failures`: components of the testbed that failed; they make it UNKNOWN."""
    facts = gather(asked, ledgers)
    register = {saga.order_id: saga for saga in parked}
    orders = [judge_order(f, register, saga_deadline_s=policy.saga_s()) for f in facts]
    ended = {
        o.order_id for o in orders if o.order_class not in (OrderClass.PARKED, OrderClass.STUCK)
    }
    # A coordinator that was away explains any silence.
    away = any(i.moment == Moment.COORDINATOR_KILLED and i.struck for i in injections)
    silence_s = math.inf if away else policy.budget_s()
    laws = judge_laws(facts, ledgers, ended=ended, longest_silence_s=silence_s)
    problems = [*failures, *_never_struck(injections)]
    bad = any(o.order_class in BAD or o.lied for o in orders) or not all(law.held for law in laws)
    if bad:
        judgement = Judgement.INCONSISTENT
    else:
        judgement = Judgement.UNKNOWN if problems else Judgement.CONSISTENT
    surprises = [
        f"{o.order_id} is {o.order_class}, expected {' or '.join(sorted(scenario.expects(index)))}"
        for index, o in enumerate(orders)
        if o.order_class not in scenario.expects(index)
    ]
    if wrong := scenario.check([o.order_class for o in orders]):
        surprises.append(wrong)
    return Verdict(
        judgement=judgement,
        as_expected=judgement is Judgement.CONSISTENT and not surprises,
        orders=orders,
        laws=laws,
        timings=[timing(f, run_ended_mono_s=run_ended_mono_s) for f in facts],
        problems=problems + surprises,
    )


def _never_struck(injections: Sequence[Injection]) -> list[str]:
    """Planned faults of which not one struck: the run says nothing about them."""
    struck: dict[tuple[str, str], bool] = {}
    for injection in injections:
        key = (injection.moment, injection.operation)
        struck[key] = struck.get(key, False) or injection.struck
    return [
        f"no {moment} at {operation} ever struck"
        for (moment, operation), hit in struck.items()
        if not hit
    ]
