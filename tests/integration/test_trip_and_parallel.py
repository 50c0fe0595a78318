"""The second saga and the variant with steps at the same time: the same machinery, the same judge."""

import itertools
from dataclasses import replace

import pytest

from kernel import joins
from kernel.database import Database
from kernel.joins import join
from kernel.loading import load_saga
from kernel.reactions import Reaction, reactions_of
from scenarios.campaigns.simulation.finding import finding
from scenarios.campaigns.simulation.schedule import Schedule, Space
from scenarios.campaigns.simulation.simulated import play
from scenarios.catalog.bugs import bugs_of, planted
from scenarios.catalog.index import scenarios_of
from scenarios.checks.machine import machine_findings
from scenarios.checks.reactions import reaction_findings
from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.judge.verdict import Judgement, OrderClass
from shared_domain.order.messages import (
    BookShipment,
    CancelOrder,
    OrderPlaced,
    PaymentCharged,
    PaymentDeclined,
    PaymentFailed,
    PaymentRefunded,
    RefundPayment,
    ReserveStock,
    StockReleased,
    StockReserved,
)
from shared_domain.order.reactions import PARALLEL
from shared_domain.order.saga import SAGA as ORDER
from shared_domain.trip.saga import SAGA as TRIP
from tests import samples

STYLES = ["choreography", "orchestration"]
styles = pytest.mark.parametrize("style", STYLES)


def _ended(saga, style, scenario, *, variant="", faults=(), orders=12, turns=1):
    schedule = Schedule(
        style=style, scenario=scenario, saga=saga, variant=variant, orders=orders, rate_per_s=60,
        turns=turns, faults=FaultPlan(faults=tuple(faults)),
    )  # fmt: skip
    simulated = play(schedule)
    assert simulated.ended is not None, simulated.failure
    return simulated.ended


@styles
@pytest.mark.parametrize("scenario", scenarios_of(TRIP))
def test_every_scenario_of_the_trip_ends_as_it_says_under_virtual_time(scenario, style):
    verdict = _ended("trip", style, scenario).verdict
    assert verdict.as_expected, verdict.problems


@styles
@pytest.mark.parametrize("scenario", scenarios_of(ORDER))
def test_every_scenario_of_the_order_ends_as_it_says_in_parallel_too(scenario, style):
    verdict = _ended("order", style, scenario, variant="parallel").verdict
    assert verdict.as_expected, verdict.problems


@pytest.mark.parametrize(
    ("name", "style"), [(name, s) for name, bug in bugs_of("trip").items() for s in bug.found_by]
)
def test_every_bug_planted_in_the_trip_is_found_by_the_rule_that_should(name, style):
    bug = bugs_of("trip")[name]
    with planted("trip", name):
        verdict = _ended("trip", style, bug.scenario, faults=bug.faults).verdict
    assert verdict.judgement is Judgement.INCONSISTENT
    assert str(bug.found_by[style]) in _broken(verdict)


def _broken(verdict):
    laws = {law.law for law in verdict.laws if not law.held}
    return laws | {rule for order in verdict.orders for rule in order.rules}


@styles
@pytest.mark.parametrize(
    ("saga", "variant", "scenario"),
    [
        ("trip", "hotel-first", "passport_expired"),
        pytest.param("trip", "hotel-first", "payment_answer_lost", marks=pytest.mark.slow),
        pytest.param("trip", "hotel-first", "return_fails_for_ever", marks=pytest.mark.slow),
        ("order", "parallel", "card_declined"),
        pytest.param("order", "parallel", "lost_reply", marks=pytest.mark.slow),
        pytest.param("order", "parallel", "refund_fails_forever", marks=pytest.mark.slow),
    ],
)
async def test_scenarios_end_as_they_say_on_the_real_pair(
    run_scenario, real_pair, saga, variant, scenario, style
):
    result = await run_scenario(
        scenario, style, saga=load_saga(saga), variant=variant, backends=real_pair
    )
    assert result.verdict.as_expected, result.verdict.problems


@pytest.mark.parametrize(("saga", "variants"), [("trip", ()), ("order", ("parallel",))])
def test_schedules_are_explored_without_a_finding(saga, variants):
    space = Space(styles=STYLES, faults=(0, 3), seed=1, saga=saga, variants=variants)
    for number in range(80):
        schedule = space.schedule(number)
        assert finding(schedule, play(schedule)) is None


def _faulty(moment, operation, attempts="all"):
    return Fault(orders={"every": 2}, operation=operation, moment=moment, attempts=attempts)


@styles
@pytest.mark.parametrize(
    ("refused", "late"), [("ChargePayment", "ReserveStock"), ("ReserveStock", "ChargePayment")]
)
def test_what_is_done_after_the_other_half_was_refused_is_undone_or_never_done(
    style, refused, late
):
    """The other half's request is on its way for as long as it takes until its compensation has overtaken it."""
    faults = [_faulty(Moment.REFUSED, refused, (1,)), _faulty(Moment.REQUEST_DELAYED, late, (1,))]
    verdict = _ended("order", style, "any_ending", variant="parallel", faults=faults).verdict
    assert verdict.judgement is Judgement.CONSISTENT, verdict.problems
    classes = [order.order_class for order in verdict.orders]
    assert set(classes[1::2]) <= {OrderClass.COMPENSATED, OrderClass.LATE}
    assert set(classes[0::2]) == {OrderClass.COMMITTED}


def _shipping_never_waits(tx, message, reaction):
    return True


def _shipping_forgets(tx, message, reaction):
    return reaction.complete({message.name})


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (_shipping_never_waits, "a step is done only after all steps before it"),
        (_shipping_forgets, "an accepted order ends, or an operator can see it"),
    ],
)
def test_a_broken_join_is_found(monkeypatch, broken, rule):
    monkeypatch.setattr("choreography.consumer.join", broken)
    verdict = _ended("order", "choreography", "happy_path", variant="parallel").verdict
    assert rule in _broken(verdict)


def test_an_order_that_is_cancelled_before_both_halves_are_undone_is_found(monkeypatch):
    page = {k: v for k, v in PARALLEL.items() if not isinstance(k, tuple) or v[1] is BookShipment}
    page[StockReleased] = page[PaymentDeclined | PaymentRefunded] = ("order", CancelOrder)
    monkeypatch.setitem(ORDER.reactions, "parallel", page)
    verdict = _ended("order", "choreography", "undeliverable", variant="parallel").verdict
    assert "compensations run in reverse order" in _broken(verdict)


BOTH = Reaction(
    service="shipping",
    command=BookShipment,
    needs=(frozenset({StockReserved}), frozenset({PaymentCharged})),
)


def _half(kind, order_id="o-1"):
    return kind(order=samples.order(order_id), caused_by="x")


async def test_a_join_is_complete_with_its_last_half_in_any_order_and_however_often_they_come(
    tmp_path,
):
    async with Database.open(tmp_path / "d.sqlite", schema=joins.SCHEMA) as database:
        for number, halves in enumerate(itertools.permutations((StockReserved, PaymentCharged))):
            order_id, (first, last) = f"o-{number}", halves
            heard = [first, first, last, first, last]
            found = [
                await database.write(lambda tx, k=kind, i=order_id: join(tx, _half(k, i), BOTH))
                for kind in heard
            ]
            both = f"{order_id}:PaymentCharged {order_id}:StockReserved"
            assert found == ["", "", both, both, both]


async def test_a_half_that_was_remembered_survives_whoever_remembered_it(tmp_path):
    async with Database.open(tmp_path / "d.sqlite", schema=joins.SCHEMA) as database:
        assert not await database.write(lambda tx: join(tx, _half(StockReserved), BOTH))
    async with Database.open(tmp_path / "d.sqlite", schema=joins.SCHEMA) as database:
        assert await database.write(lambda tx: join(tx, _half(PaymentCharged), BOTH))


def test_either_of_two_messages_is_enough_where_the_page_says_so():
    (cancel,) = [r for r in reactions_of(PARALLEL) if r.command is CancelOrder]
    assert cancel.joins
    assert cancel.complete({"StockRefused", "PaymentRefunded"})
    assert cancel.complete({"StockReleased", "PaymentDeclined"})
    assert not cancel.complete({"StockReleased", "StockRefused"})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({OrderPlaced: ("inventory", ReserveStock)}, "after OrderPlaced nothing else is done; the rows say that payment does ChargePayment, too"),
        ({PaymentFailed: ("payment", RefundPayment)}, "after PaymentFailed nothing else is done; the rows say that inventory does ReleaseStock, too"),
        ({PaymentDeclined: ("order", CancelOrder)}, "after PaymentDeclined order does CancelOrder; the rows say that inventory does ReleaseStock"),
        ({StockReserved: ("shipping", BookShipment)}, "shipping does BookShipment after StockReserved; the rows know no such reaction"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_page_with_joins_is_named(change, sentence):
    saga = replace(ORDER, reactions=dict(ORDER.reactions) | {"parallel": PARALLEL | change})
    assert sentence in [f.says for f in reaction_findings(saga, "parallel")]


def _parallel_page(tmp_path, old, new):
    text = ORDER.state_machines["parallel"].read_text()
    assert old in text
    (tmp_path / "page.asl.json").write_text(text.replace(old, new, 1))
    machines = dict(ORDER.state_machines) | {"parallel": tmp_path / "page.asl.json"}
    return [f.says for f in machine_findings(replace(ORDER, state_machines=machines), "parallel")]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"Default": "UndoBoth"', '"Default": "BookShipment"', "ReserveStock answered StockRefused leads to BookShipment; the rows say RefundPayment"),
        ('"Next": "NoStock"}], "Default": "ReleaseStock"', '"Next": "ReleaseStock"}], "Default": "NoStock"', "ReserveStock answered StockRefused leads to"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_parallel_state_is_named(tmp_path, old, new, sentence):
    assert any(sentence in text for text in _parallel_page(tmp_path, old, new))
