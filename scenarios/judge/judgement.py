"""From rows to a verdict on the whole run: classes, laws, faults that must have struck, the scenario's expectation."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from kernel.guards import Guards
from kernel.policy import Policy
from kernel.ports import Ledgers, Parked
from kernel.saga import Saga
from scenarios.faults.plan import Moment
from scenarios.faults.record import Injection
from scenarios.judge.clocks import ahead_s, bounds
from scenarios.judge.exposure import timing
from scenarios.judge.known import Known
from scenarios.judge.laws import judge_laws
from scenarios.judge.load import Stay, load_of
from scenarios.judge.oracle import Asked, gather, judge_order
from scenarios.judge.possible import possible
from scenarios.judge.reasons import reason_of
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import BAD, Judgement, OrderClass, Verdict
from scenarios.runs.scenario import COMPENSATED, ENDED, Scenario

_OF_TIME = frozenset({Rule.WHOLE_BUDGET, Rule.FOR_A_REASON, Rule.DEADLINE})
"""Rules that say nothing where orders waited so long that deadlines passed by waiting alone."""


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
    guards: Guards | None = None,
    conducted: bool = False,
    units: Mapping[str, int] | None = None,
    attempts: Mapping[tuple[str, str], int] | None = None,
    times_mono_s: Mapping[tuple[str, str], Sequence[float]] | None = None,
    exact: bool = False,
    troubled: bool = False,
    never_struck: Sequence[str] = (),
    failures: Sequence[str] = (),
    still_changing: bool = False,
    redriven: Collection[str] = (),
    finished: Collection[str] = (),
    discarded: Collection[str] = (),
    resumed: Collection[str] = (),
    visits: Sequence[Any] | None = None,
) -> Verdict:
    """The verdict. Whatever the rows are, there is one: what cannot be is named and left out.

    `conducted`: whether somebody calls the participants; otherwise they react to what is announced. `units`: the initial stock, None =
    not known. `attempts`: (order_id, operation) -> how often a request arrived, and `times_mono_s` when, None = nobody counted. `exact`: nothing
    takes longer than it must, as under virtual time. `troubled`: troubles came that no plan names.
    `visits`: what readers saw during the run; None if nobody read.

    `redriven`: orders that an operator has sent on again. They took as long as the operator did, so they cannot be
    late, and must have ended, whatever the scenario expected. `finished`: those of them that were sent on when no fault could strike any more.
    `discarded`: orders of which an operator has given something up. `resumed`: orders that were open while the run itself was down:
    not late by that, and their deadlines may have passed meanwhile.

    `never_struck` and `failures` (components of the testbed that failed) make it UNKNOWN, and so do orders that are still
    open if ledgers were `still_changing` at the deadline: the machine was too slow. A run whose customers came faster than
    it could serve them is UNKNOWN too, unless ledgers are wrong for another reason than a deadline: see load.py.
    """
    known = Known(
        policy=policy,
        guards=guards or Guards.all(),
        injections=injections,
        attempts=attempts,
        conducted=conducted,
        times_mono_s=times_mono_s,
        exact=exact,
        troubled=troubled,
    )
    rows, impossible = possible(saga, ledgers, set_back=known.set_back())
    facts = gather(saga, asked, rows)
    waiting = list(parked)
    register = {one.order_id: one for one in waiting}
    # What nobody could read has to be repaired before it can be redriven.
    beyond = {i.order_id for i in injections if i.moment == Moment.UNEXPECTED_ANSWER and i.struck}
    orders = [
        judge_order(
            f,
            register,
            saga_deadline_s=math.inf
            if f.asked.order_id in {*redriven, *resumed}
            else policy.saga_s(),
            finished=f.asked.order_id in finished and f.asked.order_id not in beyond,
        )
        for f in facts
    ]
    classes = {o.order_id: o.order_class for o in orders}
    judged = partial(
        judge_laws,
        saga,
        variant,
        facts,
        rows,
        ended={o for o, c in classes.items() if c not in _OPEN},
        open_for_good={o for o, c in classes.items() if c in BAD & _OPEN},
        parked=waiting,
        given_away={*discarded, *redriven},
        known=known,
        units=units,
        impossible=impossible,
    )
    laws = judged(slow=bool(resumed))
    expected = [
        ENDED
        if o.order_id in redriven
        else scenario.expects(index) | (COMPENSATED if o.order_id in resumed else set())
        for index, o in enumerate(orders)
    ]
    surprises = [
        f"{o.order_id} is {o.order_class}, expected {' or '.join(sorted(allowed))}{_because(o.why or reason_of(f, known))}"
        for o, f, allowed in zip(orders, facts, expected, strict=True)
        if o.order_class not in allowed
    ]
    if wrong := scenario.check([o.order_class for o in orders]):
        surprises.append(wrong)
    stays = [
        Stay(
            f.asked.order_id,
            f.asked.intended_mono_s,
            f.asked.accepted_mono_s,
            f.ended_mono_s(),
            f.seen_mono_s(),
        )
        for f in facts
        if f.asked.order_id not in {*redriven, *resumed}
    ]
    load = load_of(stays, injections, policy)
    timely = any(law.law in _OF_TIME and not law.held for law in laws)
    if surprises or timely:  # a shorter queue explains that too
        load = replace(load, limit_s=min(load.limit_s, policy.step_s()))
    if load.saturated:
        laws = judged(slow=True)
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
    clocks = bounds(saga, facts)
    isolation = {}
    if visits is not None and scenario.probe is not None:
        isolation = asdict(scenario.probe.anomalies(visits, facts, rows))
    return Verdict(
        judgement=judgement,
        as_expected=judgement is Judgement.CONSISTENT and not surprises,
        orders=orders,
        laws=laws,
        timings=[
            timing(f, run_ended_mono_s=run_ended_mono_s, ahead_s=ahead_s(clocks)) for f in facts
        ],
        problems=problems if load.saturated and not bad else problems + surprises,
        isolation=isolation,
        clocks=clocks,
        load=load,
    )


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


_OPEN = frozenset({OrderClass.PARKED, OrderClass.STUCK, OrderClass.STUCK_IN_THE_OPEN})
"""The classes of orders that have not ended."""
