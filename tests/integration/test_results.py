"""Results that cannot mislead: what a reader of the page, the tables and the commands takes from two arms, an overload, a narrow screen."""

import asyncio
import csv
import json
import re
from pathlib import Path

import pytest

from bench.arms import in_arms, named
from bench.results import find_runs, read_run
from kernel.guards import Guards
from kernel.policy import Policy
from report.columns import ORDER_COLUMNS, RUN_COLUMNS
from report.forest import ratios
from report.found import collect
from report.over_time import course_of, over_time, telling_runs
from report.page import write_report
from report.saga_in_run import telling_order
from report.tables import cells, ended_as
from scenarios.judge.verdict import Judgement
from scenarios.runs.folder import read_json, read_lines

STYLES = ("choreography", "orchestration")
TICKET = str(Path(__file__).parents[1] / "sagas" / "ticket")
QUICK = ("--broker", "memory", "--rate", "100")


@pytest.fixture
async def two_arms(run_scenario, tmp_path):
    """lost_reply in both styles, with all guards and without the inbox."""
    for guards in ("all", "-inbox"):
        for style in STYLES:
            # Far from any deadline: an order that is late as well would be another lesson.
            await run_scenario("lost_reply", style, guards=Guards.parse(guards), time_scale=0.2)
    return collect(tmp_path / "runs")


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("style", STYLES)
async def test_eight_hundred_customers_a_second_are_an_overload_and_no_fault_of_a_style(
    run_scenario, style
):
    result = await run_scenario("happy_path", style, orders=300, rate_per_s=3000.0, time_scale=0.01)
    assert result.verdict.judgement is Judgement.UNKNOWN
    assert result.verdict.exit_code() == 3
    assert "saturated: " in result.verdict.problems[0]
    assert "raise --time-scale or lower --rate" in result.verdict.problems[0]
    load = read_json(result.folder / "verdict.json")["timing"]["load"]
    assert load["offered_per_s"] > 2 * (load["achieved_per_s"] or 0)


@pytest.mark.timeout(120)
async def test_a_wrong_ledger_is_inconsistent_however_many_customers_came(run_scenario):
    result = await run_scenario(
        "delivered_twice", "choreography", orders=60, rate_per_s=3000.0, time_scale=0.01,
        guards=Guards.parse("-inbox"),
    )  # fmt: skip
    assert result.verdict.judgement is Judgement.INCONSISTENT


@pytest.mark.slow
async def test_a_page_of_two_arms_says_which_charged_twice_whom_and_why(two_arms, tmp_path):
    text = write_report(two_arms, tmp_path / "page", formats=["md"])["md"].read_text()
    headline = text.partition("| scenario |")[0]
    assert (
        "lost_reply in orchestration, without inbox: 6 of 12 orders are duplicated" in headline
        or (
            "lost_reply in choreography, without inbox and orchestration, without inbox: 6 of 12"
            in headline
        )
    )
    for told in (
        "order-00001, order-00003",
        "ChargePayment was applied twice",
        "the answer is lost after the commit (ChargePayment)",
        "without inbox, a request that comes twice acts twice",
        "In the other 2 of 4 runs no order was hurt",
    ):
        assert told in headline
    arms = {f"{style}, {words}" for style in STYLES for words in ("all guards", "without inbox")}
    assert {row.arm for row in two_arms.rows} == arms
    assert {one.arm for one in two_arms.scored} == arms


async def test_the_replay_shows_an_order_that_ended_badly_in_both_styles(two_arms):
    runs, order_id = telling_order(two_arms.rows)
    assert {run.about["guards"] for run in runs} == {"-inbox"}
    assert {run.style for run in runs} == set(STYLES)
    for run in runs:
        assert order_id in {order["order_id"] for order in run.bad}


async def test_without_damage_the_replay_shows_an_order_that_a_fault_struck(run_scenario, tmp_path):
    for style in STYLES:
        await run_scenario("lost_reply", style)
    runs, order_id = telling_order(find_runs(tmp_path / "runs")[0])
    faults = read_lines(runs[0].folder / "faults.jsonl")
    assert order_id in {fault["order_id"] for fault in faults if fault["struck"]}


@pytest.mark.slow
async def test_every_kind_of_difference_has_a_name_of_its_own(run_scenario, tmp_path):
    for changes in (
        {},
        {"rate_per_s": 90.0},
        {"guards": Guards.parse("-outbox")},
        {"variant": "payment-first"},
        {"rules": Policy(max_retries=1)},
        {"time_scale": 0.04},
        {"faults": [{"orders": [0], "operation": "ReserveStock", "moment": "participant.error"}]},
    ):
        await run_scenario("happy_path", "choreography", orders=3, **changes)
    rows = named(find_runs(tmp_path / "runs")[0])
    assert len({row.arm for row in rows}) == 7
    for words in (
        "90/s",
        "without outbox",
        "payment-first",
        "1 retries",
        "time scale 0.04",
        "plan ",
    ):
        assert sum(words in row.arm for row in rows) == 1, words


async def test_runs_of_several_seeds_are_one_arm_and_tell_their_seed(run_scenario, tmp_path):
    for seed in (1, 2):
        await run_scenario("happy_path", "choreography", orders=3, seed=seed)
    rows = find_runs(tmp_path / "runs")[0]
    assert {row.arm for row in in_arms(rows)} == {"choreography"}
    assert {row.arm for row in named(rows)} == {"choreography"}
    assert [row.label for row in named(rows)] == ["choreography, seed 1", "choreography, seed 2"]


@pytest.mark.slow
async def test_spreadsheets_get_a_line_per_order_and_per_run_with_numbers_alone(two_arms, tmp_path):
    folder = write_report(two_arms, tmp_path / "page", formats=["csv"])["csv"]
    orders, runs = (
        list(csv.DictReader((folder / name).read_text().splitlines()))
        for name in ("orders.csv", "runs.csv")
    )
    assert list(orders[0]) == [column.name for column in ORDER_COLUMNS]
    assert list(runs[0]) == [column.name for column in RUN_COLUMNS]
    assert (len(orders), len(runs)) == (48, 4)
    twice = [order for order in orders if order["class"] == "duplicated"]
    assert {order["arm"] for order in twice} == {f"{style}, without inbox" for style in STYLES}
    assert all(order["faults"].startswith("answer.lost at ChargePayment") for order in twice)
    for run in runs:
        mine = [order for order in orders if order["run"] == run["run"]]
        assert int(run["inconsistent"]) == sum(order["class"] == "duplicated" for order in mine)
        for column in ("orders", "latency_p50_ms", "offered_per_s", "inconsistent_high_ratio"):
            float(run[column])
    for path in folder.glob("*.csv"):
        assert not re.search(r"\d of \d", path.read_text()), path.name


@pytest.mark.slow
def test_the_comparison_reads_on_a_narrow_screen_too(saga, monkeypatch):
    for columns in (60, 80, 149):
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = saga("run", "lost_reply", "--orders", "4", *QUICK, "--guards=-inbox").stdout
        table = shown.partition("Load:")[0]
        assert "…" not in table
        assert "verdict" in table
        assert table.count("INCONSISTENT") == 2
        assert "2 committed, 2 duplicated of 4" in " ".join(table.split())
        assert max(map(len, table.splitlines())) <= columns


def test_json_names_arm_latency_and_backends(saga):
    document = json.loads(saga("run", "happy_path", "--orders", "12", *QUICK, "--json").stdout)
    for run in document["runs"]:
        assert run["arm"] == run["style"]
        assert run["latency_p50_ms"] > 0
        assert run["backends"]["pair"] == "embedded"
        assert run["offered_per_s"] >= 0.9 * run["achieved_per_s"] > 0
    rates = document["rates"][0]
    assert rates["runs_consistent"]["k"] == rates["runs_consistent"]["n"] == 1


def test_a_policy_of_the_users_own_rules_the_run_and_is_in_its_replay(saga, tmp_path):
    options = [
        "--retries",
        "1",
        "--retry-interval",
        "2",
        "--step-deadline",
        "4",
        "--saga-deadline",
        "30",
    ]
    done = saga(
        "run", "flaky_participant", "--orders", "6", *QUICK, "--style", "choreography", *options
    )
    assert done.returncode == 1  # two failures are more than one retry outlives
    (path,) = (tmp_path / "runs").rglob("run.json")
    about = read_json(path)
    assert about["replay"].endswith(
        "--retries 1 --retry-interval 2 --step-deadline 4 --saga-deadline 30"
    )
    assert about["policy"]["max_retries"] == 1
    assert "retries after 40 ms; step deadline 80 ms; saga deadline 600 ms" in done.stderr
    again = saga(*about["replay"].split()[1:], "--out", "again")
    assert again.returncode == 1
    classes = [read_json(p)["classes"] for p in sorted(tmp_path.rglob("verdict.json"))]
    assert classes[0] == classes[1]


def test_deadlines_that_contradict_each_other_are_refused(saga):
    done = saga("run", "happy_path", *QUICK, "--saga-deadline", "5")
    assert done.returncode == 2
    assert "--saga-deadline 5 is not longer than --step-deadline 5" in done.stderr


def test_a_time_in_ms_is_shown_with_what_the_scale_makes_of_it(saga):
    options = ["--service-times", "payment=constant:500", "--time-scale", "0.02"]
    done = saga("run", "happy_path", "--orders", "3", *QUICK, *options)
    assert "payment takes 500 ms x 0.02 = 10 ms" in done.stderr
    assert "100 customers per second (real time, not scaled)" in done.stderr


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("command", "results"),
    [
        (["sweep", "--simulated", "--orders", "3", "--style", "choreography", "--seed", "4", "--saga", TICKET], "cells.jsonl"),
        (["ablate", "lost_reply", "--orders", "4", "--style", "orchestration"], "ablation.json"),
    ],
)  # fmt: skip
def test_the_command_of_a_campaign_makes_the_same_campaign(saga, tmp_path, command, results):
    saga("run", "happy_path", "--orders", "3", *QUICK, "--out", "first")
    saga(*command, "--out", "first")
    done = saga("report", "first", "--format", "md", "--out", "page")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page" / "report.md").read_text()
    (again,) = set(re.findall(rf"Again: `(saga {command[0]} [^`]*)`", page))
    saga(*again.split()[1:], "--out", "again")
    first, second = (_told(next((tmp_path / name).rglob(results))) for name in ("first", "again"))
    assert first == second
    assert first


@pytest.mark.slow
def test_the_command_of_a_traceability_run_makes_the_same_runs(saga, tmp_path):
    saga("traceability", "card_declined", "--orders", "4", "--broker", "memory", "--time-scale", "0.05", "--out", "first")  # fmt: skip
    saga("report", "first", "--format", "md", "--out", "page")
    page = (tmp_path / "page" / "report.md").read_text()
    (again,) = set(re.findall(r"Again: `(saga traceability [^`]*)`", page))
    saga(*again.split()[1:], "--out", "again")
    first, second = (
        sorted(
            json.dumps([about["scenario"], about["style"], about["plan"], about["policy"], about["orders"]])
            for path in (tmp_path / name).rglob("run.json")
            for about in [read_json(path)]
        )
        for name in ("first", "again")
    )  # fmt: skip
    assert first == second
    assert len(first) == 4


def _told(path):
    """What a campaign found, without where it lies."""
    text = re.sub(r'"(replay|why)": "[^"]*",?', "", path.read_text())
    return sorted(re.sub(r"\s+", "", line) for line in text.splitlines())


@pytest.mark.slow
async def test_where_and_trace_show_that_a_customer_was_charged_twice(run_scenario, saga, tmp_path):
    for style in STYLES:
        for guards in ("all", "-inbox"):
            await run_scenario("lost_reply", style, orders=2, guards=Guards.parse(guards))
    rows = named(find_runs(tmp_path / "runs")[0])
    for row in rows:
        where, tree = await asyncio.to_thread(_both, saga, row.folder)
        if "without inbox" in row.arm:
            assert "correct by hand what was done more than once: " in where
            assert "payment did ChargePayment 2 times: each of them had its effect" in where
            assert "the judge duplicated, ChargePayment was applied twice" in where
            assert "DONE AGAIN" in tree
        else:
            assert "what to do nothing: the saga is over" in where
            assert "repeated its first answer, once: it acted once" in where
            assert "the judge committed" in where
            assert "DONE AGAIN" not in tree
            assert "the first answer again: nothing was done" in tree
        # Whoever reacts to events waits for no answer; a conductor does.
        assert ("THE ANSWER WAS LOST (ConnectionLost" in tree) is (row.style == "orchestration")
        assert f"lost_reply, {row.style}" in where
        assert "(from the ledgers, not from this evidence)" in tree
    newest = await asyncio.to_thread(saga, "where", "order-00001", "--run", tmp_path / "runs")
    assert "3 other runs know this name too; choose one with --run:" in newest.stdout
    assert newest.stdout.count("    --run ") == 3


def _both(saga, folder):
    shown = (saga(name, "order-00001", "--run", folder).stdout for name in ("where", "trace"))
    return [" ".join(re.sub("[│├└─]", " ", text).split()) for text in shown]


async def test_the_picture_of_an_order_that_was_charged_twice_is_not_all_green(two_arms):
    from report.flow import RED, flow_of, walk_of  # noqa: PLC0415 - matplotlib
    from report.saga_in_run import SagaInRun  # noqa: PLC0415

    for row in two_arms.rows:
        colours = {
            name: colour
            for name, (_, colour) in flow_of(walk_of(SagaInRun(row, "order-00001"))).nodes.items()
        }
        assert (colours["ChargePayment"] == RED) is ("without inbox" in row.arm)


@pytest.mark.slow
async def test_a_run_over_time_has_its_disturbance_shaded_and_every_order_in_it(
    run_scenario, tmp_path
):
    for style in STYLES:
        await run_scenario("frozen", style, orders=30, time_scale=0.1)
    found = collect(tmp_path / "runs")
    courses = [course_of(row) for row in telling_runs(found.rows)]
    assert {course.arm for course in courses} == set(STYLES)
    for course in courses:
        ((start, end),) = course.shaded
        assert 0 < start < end
        assert end - start == pytest.approx(0.3, abs=0.01)  # 3 s at a tenth
        assert len(course.came_s) == len(course.accepted_s) == len(course.ended_s) == 30
        held = [ms for at, ms, _ in course.dots if start < at < end - 0.05]
        assert not held or max(held) > 50
    figure = over_time(courses)
    assert len(figure.axes) == 4


@pytest.mark.slow
async def test_a_ratio_of_medians_has_an_interval_and_leaves_out_what_is_not_alike(
    run_scenario, tmp_path
):
    await run_scenario("happy_path", "choreography", orders=24)
    await run_scenario("happy_path", "orchestration", orders=24)
    await run_scenario("undeliverable", "choreography", orders=24)
    await run_scenario("undeliverable", "orchestration", orders=24)
    await run_scenario("lost_reply", "choreography", orders=24, guards=Guards.parse("-inbox"))
    await run_scenario("lost_reply", "orchestration", orders=24, guards=Guards.parse("-inbox"))
    await run_scenario("out_of_stock", "choreography", orders=24)
    await run_scenario("out_of_stock", "orchestration", orders=24, rate_per_s=61.0)
    pairs = {pair.scenario: pair for pair in ratios(collect(tmp_path / "runs").rows)}
    # Duplicated orders are no pair, and neither are runs at different rates.
    assert set(pairs) == {"happy_path", "undeliverable"}
    for pair in pairs.values():
        assert pair.low <= pair.ratio <= pair.high
        assert pair.orders == 24


async def test_counts_that_overlap_are_told_apart(run_scenario):
    result = await run_scenario(
        "undeliverable", "choreography", guards=Guards.parse("-semantic_lock")
    )
    row = read_run(result.folder)
    assert ended_as(row) == "6 committed, 6 compensated of 12; 6 of them shown a false status"
    assert sum(row.classes().values()) == 12


async def test_what_was_still_open_is_a_lower_bound(two_arms):
    for row in two_arms.rows:
        shown = cells(row)[-1]
        if row.bad:
            assert re.fullmatch(r"at least \d+\.\d\d: 6 orders still at the end", shown)
        else:
            assert shown == "0.00"
