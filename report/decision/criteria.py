"""The criteria of `saga decide`: Megargel's factors coupling, chattiness, visibility and design, and what this project measures beyond them.

Source of the factors, of weighted scoring, and of the hybrid where neither is preferred: Megargel, Poskitt, Shankararaman, "Microservices
Orchestration vs. Choreography: A Decision Framework", EDOC 2021 (10.1109/EDOC52215.2021.00024). The weights are not theirs: they follow from
the case, by the rules below, and every one can be set.
"""

from bench.cost.platforms import DAYS_A_MONTH
from bench.cost.prices import prices
from kernel.guards import OFF
from report.decision.case import Case
from report.decision.criterion import (
    JUDGEMENT,
    NOT_MEASURED,
    Criterion,
    Evidence,
    by_figure,
    lean,
    stepwise,
)
from report.decision.figures import measured, published
from scenarios.styles.index import STYLES

COUPLING, CHATTINESS, VISIBILITY, DESIGN = "coupling", "chattiness", "visibility", "design"
BEYOND = "beyond the framework"
FAST_S = 0.05
"""Steps that take less are fast: coordination is then a part of the time that one can see."""
LONG_S = 300.0
"""A wait that an Express execution cannot wait for."""


def _money(case: Case) -> int:
    return stepwise(case.inconsistent_order_usd, 1, 10, 100, 1000)


def _weigh_visibility(case: Case) -> tuple[int, str]:
    weight = 1 + (case.steps > 5) + (case.longest_wait_s >= LONG_S) + (_money(case) >= 2)
    return (
        weight,
        f"{case.steps} steps, a wait of {case.longest_wait_s:g} s, ${case.inconsistent_order_usd:g} an inconsistent order",
    )


def _weigh_safeguards(case: Case) -> tuple[int, str]:
    return 1 + _money(case), f"an inconsistent order costs ${case.inconsistent_order_usd:g}"


def _safeguards(case: Case) -> Evidence:
    needed = {
        name: [guard for guard in OFF if guard not in style.guards_without]
        for name, style in STYLES.items()
    }
    more = [g for g in needed["choreography"] if g not in needed["orchestration"]]
    return Evidence(
        choreography=f"{len(needed['choreography'])} to build: also {', '.join(more)}",
        orchestration=f"{len(needed['orchestration'])} to build",
        favours=lean(len(needed["choreography"]), len(needed["orchestration"])),
        source="`saga ablate`: each is needed where it is listed",
    )


def _weigh_forgetting(case: Case) -> tuple[int, str]:
    return min(2, _money(case)), f"an inconsistent order costs ${case.inconsistent_order_usd:g}"


def _weigh_recovery(case: Case) -> tuple[int, str]:
    return 1 + stepwise(case.orders_per_s, 1, 50), f"{case.orders_per_s:g} orders a second wait"


def _recovery(case: Case) -> Evidence:
    figure = measured()["recovery"]
    if not case.aws:
        return by_figure(figure)
    return Evidence(
        choreography=figure.choreography[1],
        orchestration="does not apply: AWS runs the conductor, and its outages are not measured here",
        favours=0,
        source=figure.source(),
    )


def _weigh_latency(case: Case) -> tuple[int, str]:
    if case.longest_wait_s >= 1 or case.slowest_step_s >= 1:
        return 1, "a wait of a second or more hides it"
    return (
        (3, "the steps are fast")
        if case.slowest_step_s < FAST_S
        else (2, "the steps take their time")
    )


def _latency(case: Case) -> Evidence:
    if case.aws:
        hop = published()["aws_hop"]
        assert hop.number is not None
        return Evidence(
            choreography="does not apply: measured on one machine",
            orchestration=f"about {case.steps * hop.number:.1f} s for {case.steps} hops ({hop.text})",
            favours=0,
            source=f"{hop.source()}; {JUDGEMENT}",
        )
    fast = case.slowest_step_s < FAST_S
    return by_figure(measured()["latency_of_coordination" if fast else "latency_of_slow_steps"])


def _weigh_throughput(case: Case) -> tuple[int, str]:
    return 1 + stepwise(case.orders_per_s, 30, 150), f"{case.orders_per_s:g} orders a second"


def _throughput(case: Case) -> Evidence:
    figure = measured()["saturation"]
    holds = figure.extra["holds_per_s"]
    if case.orders_per_s > holds:
        beyond = f"more than two cores hold ({holds} a second): {NOT_MEASURED}"
        return Evidence(
            choreography=beyond, orchestration=beyond, favours=0, source=figure.source()
        )
    own = "does not apply: quotas of AWS" if case.aws else figure.orchestration[1]
    return Evidence(
        choreography=figure.choreography[1], orchestration=own, favours=0, source=figure.source()
    )


def _overload(case: Case) -> Evidence:
    figure = measured()["overload"]
    if not case.aws:
        return by_figure(figure)
    own = "does not apply: quotas of AWS"
    return Evidence(
        choreography=figure.choreography[1], orchestration=own, favours=0, source=figure.source()
    )


def _weigh_undoing(case: Case) -> tuple[int, str]:
    return stepwise(
        case.refused_ratio, 0.01, 0.05, 0.2
    ), f"{100 * case.refused_ratio:g} % are refused"


def _weigh_waits(case: Case) -> tuple[int, str]:
    weight = stepwise(case.longest_wait_s, 1, 60, LONG_S, 86_400)
    return weight, f"the longest wait is {case.longest_wait_s:g} s"


def _waits(case: Case) -> Evidence:
    fact = published()["longest_execution"]
    return Evidence(
        choreography="an event that comes when it comes; who notices that it never does is for you to build",
        orchestration=fact.text if case.aws else "a task with a token and a deadline in the page",
        favours=int(case.aws),
        source=fact.source() if case.aws else JUDGEMENT,
    )


def _weigh_payload(case: Case) -> tuple[int, str]:
    return stepwise(case.payload_kib, 1, 10, 64, 256), f"{case.payload_kib:g} KiB an order"


def _payload(case: Case) -> Evidence:
    figure, limit = measured()["payload"], published()["payload_limit"]
    if case.payload_kib > figure.extra["most_kib"]:
        beyond = f"not measured above {figure.extra['most_kib']} KiB"
        over = case.aws and case.payload_kib >= 256
        own = f"impossible: a state holds {limit.text}; pass a reference" if over else beyond
        return Evidence(
            choreography=beyond,
            orchestration=own,
            favours=-2 if over else 0,
            source=limit.source() if over else figure.source(),
        )
    return by_figure(figure)


def _weigh_money(case: Case) -> tuple[int, str]:
    most = max(case.broker_usd_per_month, _standard_usd(case) if case.aws else 0.0)
    return stepwise(most, 10, 100, 1000, 10_000), f"up to ${most:,.0f} a month"


def _standard_usd(case: Case) -> float:
    """A month of Step Functions Standard: one transition a step and one for its Choice, one for the end."""
    price = prices()["standard.transition"]
    assert price.high is not None
    return case.orders_per_day * DAYS_A_MONTH * (2 * case.steps + 1) * price.high


def _money_a_month(case: Case) -> Evidence:
    broker, standard = case.broker_usd_per_month, _standard_usd(case)
    price = prices()["standard.transition"]
    known = broker and case.aws
    return Evidence(
        choreography=f"${broker:,.0f}, your figure"
        if broker
        else "not known: broker_usd_per_month",
        orchestration=f"${standard:,.0f} for {2 * case.steps + 1} transitions an order"
        if case.aws
        else "does not apply: an engine of your own",
        favours=lean(broker, standard) if known else 0,
        source=f"`saga cost`; {price.where()}" if known else JUDGEMENT,
    )


def _weigh_changing(case: Case) -> tuple[int, str]:
    weight = stepwise(case.changes_per_year, 1, 4, 12, 50) + (case.teams > 1)
    return weight, f"{case.changes_per_year:g} changes a year, {case.teams} teams"


def _weigh_answers(case: Case) -> tuple[int, str]:
    return 1 + (case.services > 4) + (
        case.teams > 2
    ), f"{case.services} services of {case.teams} teams"


def _answers(case: Case) -> Evidence:
    own = by_figure(measured()["stores_opened"])
    quota = published()["history_quota"]
    if not case.aws:
        return own
    return Evidence(
        choreography=own.choreography,
        orchestration=f"{own.orchestration}; {quota.text}",
        favours=own.favours,
        source=f"{own.source}; {quota.source()}",
    )


CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        name="where is my order, and why?",
        factor=VISIBILITY,
        weigh=_weigh_visibility,
        evidence=lambda case: by_figure(measured()["where_and_why"]),
    ),
    Criterion(
        name="what one answer costs", factor=VISIBILITY, weigh=_weigh_answers, evidence=_answers
    ),
    Criterion(
        name="safeguards to build", factor=DESIGN, weigh=_weigh_safeguards, evidence=_safeguards
    ),
    Criterion(
        name="changing the flow",
        factor=COUPLING,
        weigh=_weigh_changing,
        evidence=lambda case: by_figure(measured()["changing"]),
    ),
    Criterion(
        name="one more listener",
        factor=COUPLING,
        weigh=lambda case: (
            stepwise(case.listeners, 1, 3, 6, 12),
            f"{case.listeners} only want to hear what happened",
        ),
        evidence=lambda case: by_figure(measured()["listening"]),
    ),
    Criterion(name="human and long waits", factor=DESIGN, weigh=_weigh_waits, evidence=_waits),
    Criterion(
        name="time that coordination takes",
        factor=CHATTINESS,
        weigh=_weigh_latency,
        evidence=_latency,
    ),
    Criterion(name="large payloads", factor=CHATTINESS, weigh=_weigh_payload, evidence=_payload),
    Criterion(
        name="orders a second", factor=CHATTINESS, weigh=_weigh_throughput, evidence=_throughput
    ),
    Criterion(name="money a month", factor=BEYOND, weigh=_weigh_money, evidence=_money_a_month),
    Criterion(
        name="overload",
        factor=BEYOND,
        weigh=lambda case: (1, "every system meets it"),
        evidence=_overload,
    ),
    Criterion(
        name="undoing a refused order",
        factor=BEYOND,
        weigh=_weigh_undoing,
        evidence=lambda case: by_figure(measured()["undoing"]),
    ),
    Criterion(
        name="after the coordinator was killed",
        factor=BEYOND,
        weigh=_weigh_recovery,
        evidence=_recovery,
    ),
    Criterion(
        name="a coordinator that forgets",
        factor=BEYOND,
        weigh=_weigh_forgetting,
        evidence=lambda case: by_figure(measured()["forgotten"]),
    ),
)
