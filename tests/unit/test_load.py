"""When a run counts as saturated: from when customers came and orders ended, whatever the style."""

import math
from dataclasses import replace

import pytest

from kernel.policy import Policy
from scenarios.faults.plan import Moment
from scenarios.faults.record import Injection
from scenarios.judge.judgement import judge
from scenarios.judge.load import LEAST_ORDERS, Stay, load_of
from scenarios.judge.oracle import Asked
from scenarios.judge.verdict import Judgement, OrderClass
from scenarios.runs.scenario import Scenario
from shared_domain.order.counter_examples import ORDER
from shared_domain.order.saga import SAGA

POLICY = Policy(time_scale=0.02)
"""Saga deadline 1.2 s: waits that grow by more than 0.3 s are saturation."""


def _stays(n, *, offered, wait):
    """Customers who come `offered` times a second; `wait(i)`: how long order i takes, None = nobody ever works on it."""
    came = [100 + i / offered for i in range(n)]
    ends = [None if wait(i) is None else at + wait(i) for i, at in enumerate(came)]
    return [
        Stay(f"o{i}", at, at, end, end) for i, (at, end) in enumerate(zip(came, ends, strict=True))
    ]


def _struck(i, moment=Moment.ANSWER_LOST):
    return Injection(
        order_id=f"o{i}",
        operation="ChargePayment",
        attempt=1,
        moment=moment,
        reached=True,
        struck=True,
    )


def test_a_server_slower_than_its_customers_is_saturated():
    load = load_of(_stays(400, offered=800, wait=lambda i: i / 200 - i / 800), [], POLICY)
    assert load.saturated
    assert load.offered_per_s == pytest.approx(800, rel=0.02)
    assert load.achieved_per_s == pytest.approx(200, rel=0.02)
    assert "802 customers per second came, 201 orders per second ended" in load.advice()
    assert "raise --time-scale or lower --rate" in load.advice()


def test_the_same_queue_is_no_saturation_where_deadlines_are_long():
    stays = _stays(400, offered=800, wait=lambda i: i / 200 - i / 800)
    assert not load_of(stays, [], Policy()).saturated


def test_slow_services_are_no_saturation():
    load = load_of(_stays(100, offered=50, wait=lambda i: 5.0), [], POLICY)
    assert not load.saturated
    assert load.wait_growth_s == pytest.approx(0)


def test_orders_that_nobody_works_on_are_saturation():
    load = load_of(_stays(90, offered=800, wait=lambda i: 0.1 if i < 20 else None), [], POLICY)
    assert load.saturated
    assert load.to_json()["wait_growth_s"] == "open"
    assert "nobody worked on" in load.advice()


def test_what_a_fault_held_up_is_no_saturation():
    stays = _stays(60, offered=50, wait=lambda i: 3.0 if i >= 40 else 0.01)
    assert load_of(stays, [], POLICY).saturated
    assert not load_of(stays, [_struck(i) for i in range(40, 60)], POLICY).saturated


def test_a_disturbed_coordinator_explains_every_wait():
    stays = _stays(60, offered=50, wait=lambda i: 3.0 if i >= 40 else 0.01)
    frozen = [_struck(0, Moment.COORDINATOR_FROZEN)]
    assert load_of(stays, frozen, POLICY).wait_growth_s is None


def test_a_burst_that_waits_alike_to_be_accepted_is_saturation():
    stays = [Stay(f"o{i}", 100 + i / 3000, 102.0, 103.0, 103.0) for i in range(300)]
    assert load_of(stays, [], POLICY).wait_growth_s == pytest.approx(1.92, abs=0.01)
    never = [stay._replace(accepted_s=None) for stay in stays]
    assert not load_of(never, [], POLICY).saturated


def test_all_parked_alike_did_not_queue():
    stays = [Stay(f"o{i}", 100 + i / 50, 100 + i / 50, None, 100.01 + i / 50) for i in range(30)]
    assert load_of(stays, [], POLICY).wait_growth_s == pytest.approx(0)


def test_all_parked_later_and_later_did():
    stays = [Stay(f"o{i}", 100 + i / 50, 100 + i / 50, None, 100.01 + i / 10) for i in range(30)]
    assert load_of(stays, [], POLICY).saturated


def test_where_faults_struck_nearly_everybody_nothing_is_said():
    stays = _stays(60, offered=50, wait=lambda i: 3.0 if i >= 40 else 0.01)
    load = load_of(stays, [_struck(i) for i in range(50)], POLICY)
    assert load.wait_growth_s is None


def test_few_orders_give_no_rate_and_no_verdict():
    load = load_of(_stays(LEAST_ORDERS - 1, offered=800, wait=lambda i: i), [], POLICY)
    assert (load.offered_per_s, load.achieved_per_s, load.wait_growth_s) == (None, None, None)
    assert not load.saturated


def test_infinity_is_more_than_any_limit():
    load = load_of(_stays(30, offered=800, wait=lambda i: None if i else 0.1), [], POLICY)
    assert math.isinf(load.wait_growth_s)
    assert replace(load, limit_s=1e9).saturated


def test_what_ends_in_a_burst_after_a_standstill_was_not_served_faster_than_it_came():
    stays = [
        Stay(f"o{i}", 100 + i / 50, 100 + i / 50, 106 + i / 1000, 106 + i / 1000) for i in range(40)
    ]
    assert load_of(stays, [], POLICY).achieved_per_s < 10


def _rejected(wait, *, expected):
    """The verdict on 24 orders that were rejected when they were placed, a second after each other; `wait(i)`: when that was done."""
    names = [f"o{i}" for i in range(24)]
    ledgers = {name: {"ledger": []} for name in ("order", "inventory", "payment", "shipping")}
    ledgers["order"]["orders"] = [{"order_id": name, "status": "REJECTED"} for name in names]
    ledgers["inventory"] |= {"stock": [], "reservations": []}
    ledgers["payment"]["payments"] = ledgers["shipping"]["shipments"] = []
    ledgers["order"]["ledger"] = [
        {
            "seq": i + 1, "order_id": name, "answer": "OrderRejected", "operation": "PlaceOrder", "effect": "refused", "delta": 0,
            "message_id": f"{name}:PlaceOrder", "caused_by": f"{name}:customer", "mono_s": 100 + i + wait(i),
        }
        for i, name in enumerate(names)
    ]  # fmt: skip
    return judge(
        saga=SAGA,
        variant=SAGA.variant,
        scenario=Scenario(name="x", description="x", expects=lambda i: frozenset({expected})),
        asked=[
            Asked(order=replace(ORDER, order_id=name, quantity=0), accepted=True, told=("PENDING", "REJECTED"),
                  intended_mono_s=100 + i, accepted_mono_s=100 + i)
            for i, name in enumerate(names)
        ],
        ledgers=ledgers,
        parked=(),
        injections=(),
        never_struck=(),
        still_changing=False,
        policy=Policy(),
        run_ended_mono_s=300,
    )  # fmt: skip


def test_a_surprise_in_a_queue_longer_than_a_step_deadline_says_nothing():
    queueing = _rejected(lambda i: 0.5 * i, expected=OrderClass.COMMITTED)
    assert queueing.judgement is Judgement.UNKNOWN
    assert queueing.load.saturated
    assert [problem.split(":")[0] for problem in queueing.problems] == ["saturated"]


@pytest.mark.parametrize(
    ("wait", "expected"),
    [(0.5, OrderClass.REJECTED), (0.1, OrderClass.COMMITTED)],
    ids=["the same queue without a surprise", "a surprise in a shorter queue"],
)
def test_a_queue_explains_neither_what_is_expected_nor_what_did_not_wait(wait, expected):
    verdict = _rejected(lambda i: wait * i, expected=expected)
    assert verdict.judgement is Judgement.CONSISTENT
    assert verdict.as_expected is (expected is OrderClass.REJECTED)
    assert not verdict.load.saturated
