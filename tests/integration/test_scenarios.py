"""Every scenario ends as it says, in both styles, on both pairs."""

import json

import pytest

from bench.results import read_run
from choreography.system import ChoreographedSystem
from kernel.errors import NotDelivered
from kernel.guards import Guards
from orchestration.system import OrchestratedSystem
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.simulated import play
from scenarios.catalog.index import scenarios_of
from scenarios.faults.plan import FaultPlan
from scenarios.runs.folder import read_json, read_lines
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA

ONLY_SLOWER = ("participant.slow",)
"""What changes neither a saga's rows nor its attempts."""
styles = pytest.mark.parametrize("style", STYLES)


def _assert_as_expected(result):
    verdict = result.verdict
    replay = read_json(result.folder / "run.json")["replay"]
    assert verdict.as_expected, f"{verdict.problems}\nagain: {replay}"
    about = read_json(result.folder / "run.json")
    if about["no_counterpart"] or about["scenario"] == "hot_items":
        return  # nothing can strike, or not those who are refused before
    injections = read_lines(result.folder / "faults.jsonl")
    assert all(i["reached"] for i in injections)
    struck = [i for i in injections if i["struck"] and i["moment"] not in ONLY_SLOWER]
    assert not [i for i in struck if not i["changed"]], f"again: {replay}"


@styles
@pytest.mark.parametrize("scenario", scenarios_of(SAGA))
def test_every_scenario_ends_as_it_says_under_virtual_time(scenario, style):
    schedule = Schedule(style=style, scenario=scenario, orders=12, rate_per_s=60, turns=1)
    simulated = play(schedule)
    assert simulated.ended is not None, simulated.failure
    assert simulated.ended.verdict.as_expected, simulated.ended.verdict.problems


IN_REAL_TIME_TOO = {
    "coordinator_killed",
    "hot_items",
    "last_item",
    "lost_reply",
    "refund_fails_forever",
    "unreadable",
}


@styles
@pytest.mark.parametrize(
    "scenario",
    [
        name if name in IN_REAL_TIME_TOO else pytest.param(name, marks=pytest.mark.long)
        for name in scenarios_of(SAGA)
    ],
)
async def test_every_scenario_ends_as_it_says_on_the_embedded_pair(run_scenario, scenario, style):
    _assert_as_expected(await run_scenario(scenario, style))


ON_REAL_EVERY_TIME = {"card_declined", "lost_reply", "refund_fails_forever", "unreadable"}
ON_REAL_RARELY = {
    "any_ending", "answered_twice", "compensation_crashes", "coordinator_killed", "hot_items",
    "late_success", "lost_for_ever", "oversized_answer", "overtaken", "parked_through_a_kill",
}  # fmt: skip
"""A node that is killed takes long (test_kill.py has it), and so do deadlines that must pass: test_..._at_two_hundred_orders has them."""


@styles
@pytest.mark.parametrize(
    "scenario",
    [
        name if name in ON_REAL_EVERY_TIME else pytest.param(name, marks=pytest.mark.slow)
        for name in sorted(scenarios_of(SAGA).keys() - ON_REAL_RARELY)
    ],
)
async def test_every_scenario_ends_as_it_says_on_the_real_pair(
    run_scenario, real_pair, scenario, style
):
    _assert_as_expected(await run_scenario(scenario, style, backends=real_pair))


@pytest.mark.alone
@pytest.mark.timeout(300)
@styles
@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(
            name,
            marks=pytest.mark.slow if name == "lost_reply" else pytest.mark.long,
        )
        for name in scenarios_of(SAGA)
    ],
)
async def test_every_scenario_at_two_hundred_orders_on_the_real_pair(
    run_scenario, real_pair, scenario, style
):
    _assert_as_expected(
        await run_scenario(scenario, style, backends=real_pair, orders=200, rate_per_s=50)
    )


def _classes(verdict):
    return [(order.order_id, order.order_class) for order in verdict.orders]


@pytest.mark.slow
@styles
@pytest.mark.parametrize("scenario", ["budget_spent", "refund_fails_forever", "crash_after_commit"])
async def test_the_same_seed_gives_every_order_the_same_class(run_scenario, scenario, style):
    first = await run_scenario(scenario, style, seed=9)
    second = await run_scenario(scenario, style, seed=9)
    assert _classes(first.verdict) == _classes(second.verdict)


@styles
def test_a_race_for_the_last_unit_has_the_same_winners_under_virtual_time(style):
    """On a real clock the machine decides who of two customers, 17 ms apart, comes first."""
    schedule = Schedule(style=style, scenario="last_item", orders=12, rate_per_s=60, seed=9)
    first, second = (play(schedule).ended.verdict for _ in range(2))
    assert _classes(first) == _classes(second)
    assert {order_class for _, order_class in _classes(first)} == {"committed", "compensated"}


async def test_the_same_plan_strikes_the_same_orders_in_both_styles(run_scenario):
    struck = []
    for style in STYLES:
        result = await run_scenario("lost_reply", style)
        rows = read_lines(result.folder / "faults.jsonl")
        struck.append([(r["order_id"], r["operation"], r["moment"], r["attempt"]) for r in rows])
    assert struck[0] == struck[1]
    assert len(struck[0]) == 6


async def test_a_run_folder_holds_what_is_needed_to_judge_again(run_scenario):
    folder = (await run_scenario("card_declined", "choreography")).folder
    about = read_json(folder / "run.json")
    assert (about["status"], about["seed"], about["backends"]["pair"]) == (
        "complete",
        1,
        "embedded",
    )
    assert len(read_lines(folder / "orders.jsonl")) == 12
    tables = {(row["participant"], row["table"]) for row in read_lines(folder / "ledgers.jsonl")}
    assert ("payment", "ledger") in tables
    assert read_lines(folder / "trace.jsonl")
    assert read_lines(folder / "evidence" / "audit.jsonl")
    verdict = read_json(folder / "verdict.json")
    without_times = {key: value for key, value in verdict.items() if key != "timing"}
    assert "mono_s" not in json.dumps(without_times)


@styles
async def test_spans_of_one_order_are_one_trace(run_scenario, style):
    spans = read_lines((await run_scenario("happy_path", style)).folder / "trace.jsonl")
    mine = [s for s in spans if s["attributes"]["order_id"] == "order-00003"]
    assert len({span["context"]["trace_id"] for span in mine}) == 1
    assert {s["name"] for s in mine} >= {
        "place order",
        "payment ChargePayment",
        "order ConfirmOrder",
    }


@pytest.mark.slow
@styles
async def test_a_parked_saga_stays_parked_when_its_deadline_passes(run_scenario, style):
    """Refunds would work at the seventh attempt, but nobody redrives them."""
    again = {"operation": "RefundPayment", "moment": "participant.error", "orders": {"every": 4}}
    undeliverable = {
        "operation": "BookShipment",
        "moment": "business.refused",
        "orders": {"every": 4},
    }
    faults = [again | {"attempts": [1, 2, 3, 4, 5, 6]}, undeliverable]
    verdict = (
        await run_scenario("any_ending", style, orders=24, rate_per_s=12, faults=faults)
    ).verdict
    assert {k: n for k, n in verdict.counts().items() if n} == {"committed": 18, "parked": 6}
    assert verdict.judgement == "CONSISTENT", [law.why for law in verdict.laws]


async def test_without_an_outbox_a_crash_after_the_commit_loses_the_event(run_scenario):
    guards = Guards(outbox=False)
    verdict = (
        await run_scenario("crash_after_commit", "choreography", orders=20, guards=guards)
    ).verdict
    assert verdict.judgement == "INCONSISTENT"
    late = {o.order_id for o in verdict.orders if o.order_class == "late"}
    assert late >= {"order-00009", "order-00019"}


async def test_without_an_outbox_giving_up_is_still_announced(run_scenario):
    verdict = (
        await run_scenario("budget_spent", "choreography", guards=Guards(outbox=False))
    ).verdict
    assert verdict.as_expected, verdict.problems


@styles
def test_a_run_waits_for_requests_that_a_fault_holds_back(style):
    held = {
        "operation": "ChargePayment",
        "moment": "request.delayed",
        "orders": [1],
        "attempts": "all",
        "for_s": 100,
    }
    verdict = _under_virtual_time("happy_path", style, held, guards="-tombstones")
    assert verdict.judgement != "CONSISTENT"


def test_a_run_waits_for_one_hold_after_another():
    """Each of them is longer than the patience of a run without holds."""
    verdict = _under_virtual_time(
        "any_ending",
        "choreography",
        {"operation": "ReserveStock", "moment": "answer.delayed", "orders": [1], "for_s": 300},
        {"operation": "ChargePayment", "moment": "request.delayed", "orders": [1], "for_s": 300},
    )
    assert (verdict.judgement, verdict.problems) == ("CONSISTENT", [])


def _under_virtual_time(scenario, style, *faults, guards="all"):
    plan = FaultPlan.from_json({"schema": 1, "faults": list(faults)})
    schedule = Schedule(
        style=style, scenario=scenario, orders=3, turns=1, faults=plan, guards=guards
    )
    return play(schedule).ended.verdict


async def test_a_conductor_that_missed_the_last_answer_tells_what_the_order_service_knows(
    run_scenario,
):
    lost = {
        "operation": "ConfirmOrder",
        "moment": "answer.lost",
        "orders": [0, 1],
        "attempts": "all",
    }
    # Another order takes so long that the executions of the first two have failed when their customers ask.
    slow = {"operation": "ChargePayment", "moment": "request.delayed", "orders": [2], "for_s": 60}
    result = await run_scenario("any_ending", "orchestration", orders=3, faults=[lost, slow])
    assert {o.order_class for o in result.verdict.orders[:2]} == {"committed"}
    assert not any(o.lied for o in result.verdict.orders)
    lines = read_lines(result.folder / "orders.jsonl")
    assert [line["told"][-1] for line in lines[:2]] == ["CONFIRMED"] * 2


@styles
async def test_a_scenario_whose_fault_meets_no_order_is_unknown(run_scenario, style):
    verdict = (await run_scenario("crash_after_commit", style, orders=5)).verdict
    assert (verdict.judgement, verdict.exit_code()) == ("UNKNOWN", 3)


@pytest.mark.slow
@styles
async def test_two_kills_at_the_same_time_start_one_coordinator(run_scenario, style):
    kills = {"operation": "PlaceOrder", "moment": "coordinator.killed", "orders": [8, 9]}
    result = await run_scenario(
        "happy_path", style, orders=20, rate_per_s=400, faults=[kills], least_time_scale=0.2
    )
    assert {o.order_class for o in result.verdict.orders} <= {"committed", "compensated"}


async def test_a_coordinator_that_is_lost_for_good_makes_the_run_unknown(run_scenario, monkeypatch):
    """The failure comes out of a group of tasks, and is one all the same."""

    async def lost(self):
        raise NotDelivered("the broker is gone")

    monkeypatch.setattr(ChoreographedSystem, "parked", lost)
    result = await run_scenario("happy_path", "choreography")
    assert (result.verdict.judgement, result.verdict.exit_code()) == ("UNKNOWN", 3)
    assert "the broker is gone" in result.verdict.problems[0]


async def test_a_part_of_the_testbed_that_fails_makes_the_run_unknown(run_scenario, monkeypatch):
    async def broken(self, order_id):
        raise NotDelivered("the line is dead")

    monkeypatch.setattr(OrchestratedSystem, "outcome", broken)
    result = await run_scenario("happy_path", "orchestration")
    assert (result.verdict.judgement, result.verdict.exit_code()) == ("UNKNOWN", 3)
    assert "the line is dead" in result.verdict.problems[0]
    assert read_run(result.folder).orders == 0
