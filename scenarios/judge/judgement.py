"""From rows to a verdict on the whole run: classes, laws, faults that must have struck, the scenario's expectation."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from kernel.policy import Policy
from kernel.ports import Ledgers, Parked
from kernel.saga import Saga
from scenarios.faults.plan import DISTURBANCES, HELD
from scenarios.faults.planned import Injection
from scenarios.judge.exposure import timing
from scenarios.judge.laws import judge_laws
from scenarios.judge.load import Stay, load_of
from scenarios.judge.oracle import Asked, gather, judge_order
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import BAD, Judgement, OrderClass, Verdict
from scenarios.runs.scenario import COMPENSATED, ENDED, Scenario

LEAST_SILENCE_S = 0.5
"""A shorter silence says more about the machine than about the saga, whatever the time scale."""


def judge(
    *,
    saga: Saga,
    variant: str,
    scenario: Scenario,
    asked: Sequence[Asked],
    ledgers: Ledgers,
    parked: Iterable[Parked],
    injections: Sequence[Injection],
    policy: Policy,
    run_ended_mono_s: float,
    arrivals_mono_s: Mapping[str, Sequence[float]] = {},
    never_struck: Sequence[str] = (),
    failures: Sequence[str] = (),
    still_changing: bool = False,
    redriven: Collection[str] = (),
    resumed: Collection[str] = (),
    visits: Sequence[Any] | None = None,
) -> Verdict:
    """The verdict.

    `visits`: what readers saw during the run; None if nobody read.

    `redriven`: orders that an operator has sent on again. They took as long as the operator did, so they cannot be
    late, and must have ended, whatever the scenario expected. `resumed`: orders that were open while the run itself was down:
    neither late nor silent by that, and their deadlines may have passed meanwhile.

    `arrivals_mono_s`: when requests of an order arrived anywhere, as signs of life. `never_struck` and
    `failures` (components of the testbed that failed) make it UNKNOWN, and so do orders that are still
    open if ledgers were `still_changing` at the deadline: the machine was too slow. A run whose customers came faster than
    it could serve them is UNKNOWN too, unless ledgers are wrong for another reason than a deadline: see load.py.
    """
    facts = gather(saga, asked, ledgers)
    register = {saga.order_id: saga for saga in parked}
    orders = [
        judge_order(
            f,
            register,
            saga_deadline_s=math.inf
            if f.asked.order_id in {*redriven, *resumed}
            else policy.saga_s(),
        )
        for f in facts
    ]
    ended = {
        o.order_id for o in orders if o.order_class not in (OrderClass.PARKED, OrderClass.STUCK)
    }
    # A coordinator that was away explains any silence.
    away = any(i.moment in DISTURBANCES and i.struck for i in injections)
    # So does the network that holds a request back.
    held = {i.order_id for i in injections if i.moment in HELD and i.struck}
    silence_s = math.inf if away else max(policy.budget_s(), LEAST_SILENCE_S)
    judged = partial(
        judge_laws,
        saga,
        facts,
        ledgers,
        ended=ended,
        stages=saga.stages(variant),
        excused={
            *redriven,
            *resumed,
            *held,
            *register,
        },  # an operator could see what is parked all the while
        longest_silence_s=silence_s,
        arrivals_mono_s=arrivals_mono_s,
    )
    laws = judged()
    expected = [
        ENDED
        if o.order_id in redriven
        else scenario.expects(index) | (COMPENSATED if o.order_id in resumed else set())
        for index, o in enumerate(orders)
    ]
    surprises = [
        f"{o.order_id} is {o.order_class}, expected {' or '.join(sorted(classes))}"
        for o, classes in zip(orders, expected, strict=True)
        if o.order_class not in classes
    ]
    if wrong := scenario.check([o.order_class for o in orders]):
        surprises.append(wrong)
    stays = [
        Stay(f.asked.order_id, f.asked.intended_mono_s, f.ended_mono_s(), f.seen_mono_s())
        for f in facts
        if f.asked.order_id not in {*redriven, *resumed}
    ]
    load = load_of(stays, injections, policy)
    dropped = any(law.law == Rule.NOT_DROPPED and not law.held for law in laws)
    if surprises or dropped:  # a shorter queue explains that too
        load = replace(load, limit_s=min(load.limit_s, policy.step_s()))
    if load.saturated:
        laws = judged(queued_s=policy.step_s())
    problems = [*([load.advice()] if load.saturated else []), *failures, *never_struck]
    wrong_classes = BAD - {OrderClass.STUCK} if still_changing else BAD
    if still_changing:
        problems.append(
            "ledgers were still changing at the deadline: raise --time-scale or lower --rate"
        )
    bad = any(o.order_class in wrong_classes or o.lied for o in orders)
    bad = bad or not all(law.held for law in laws)
    if bad:
        judgement = Judgement.INCONSISTENT
    else:
        judgement = Judgement.UNKNOWN if problems else Judgement.CONSISTENT
    isolation = {}
    if visits is not None and scenario.probe is not None:
        isolation = asdict(scenario.probe.anomalies(visits, facts, ledgers))
    return Verdict(
        judgement=judgement,
        as_expected=judgement is Judgement.CONSISTENT and not surprises,
        orders=orders,
        laws=laws,
        timings=[timing(f, run_ended_mono_s=run_ended_mono_s) for f in facts],
        problems=problems if load.saturated and not bad else problems + surprises,
        isolation=isolation,
        load=load,
    )
