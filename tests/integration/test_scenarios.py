"""Every story ends as it says, in both styles, on both pairs."""

import json

import pytest

from scenarios.catalog.index import SCENARIOS
from scenarios.run_folder import read_json, read_lines
from scenarios.systems import STYLES

styles = pytest.mark.parametrize("style", STYLES)


def _assert_as_expected(result):
    verdict = result.verdict
    replay = read_json(result.folder / "run.json")["replay"]
    assert verdict.as_expected, f"{verdict.problems}\nagain: {replay}"
    injections = read_lines(result.folder / "faults.jsonl")
    assert all(i["reached"] for i in injections)
    assert all(i["changed"] for i in injections if i["struck"])


@styles
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_every_story_ends_as_it_says_on_the_embedded_pair(carry_out, scenario, style):
    _assert_as_expected(await carry_out(scenario, style))


@styles
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_every_story_ends_as_it_says_on_the_real_pair(carry_out, real_pair, scenario, style):
    _assert_as_expected(await carry_out(scenario, style, backends=real_pair))


@pytest.mark.long
@pytest.mark.timeout(300)
@styles
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_every_story_at_two_hundred_orders_on_the_real_pair(
    carry_out, real_pair, scenario, style
):
    _assert_as_expected(
        await carry_out(scenario, style, backends=real_pair, orders=200, rate_per_s=50)
    )


@styles
@pytest.mark.parametrize(
    "scenario", ["last_item", "budget_spent", "refund_fails_forever", "crash_after_commit"]
)
async def test_the_same_seed_gives_every_order_the_same_class(carry_out, scenario, style):
    classes = []
    for _ in range(2):
        verdict = (await carry_out(scenario, style, seed=9)).verdict
        classes.append([(order.order_id, order.order_class) for order in verdict.orders])
    assert classes[0] == classes[1]


async def test_the_same_plan_strikes_the_same_orders_in_both_styles(carry_out):
    struck = []
    for style in STYLES:
        result = await carry_out("lost_reply", style)
        rows = read_lines(result.folder / "faults.jsonl")
        struck.append([(r["order_id"], r["operation"], r["moment"], r["attempt"]) for r in rows])
    assert struck[0] == struck[1]
    assert len(struck[0]) == 6


async def test_a_run_folder_holds_what_is_needed_to_judge_again(carry_out):
    folder = (await carry_out("card_declined", "choreography")).folder
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
async def test_spans_of_one_order_are_one_trace(carry_out, style):
    spans = read_lines((await carry_out("happy_path", style)).folder / "trace.jsonl")
    mine = [s for s in spans if s["attributes"]["order_id"] == "order-00003"]
    assert len({span["context"]["trace_id"] for span in mine}) == 1
    assert {s["name"] for s in mine} >= {
        "place order",
        "payment ChargePayment",
        "order ConfirmOrder",
    }
