"""The demo shows damage: what breaks without a safeguard, for how many, in which style, and which safeguard prevents it."""

import json

import pytest

from bench.results import find_runs
from kernel.guards import Guards
from kernel.loading import load_saga
from report.lessons import arms, lessons
from report.lessons_chart import hurt_bars
from scenarios.catalog.index import headline_of

STYLES = ("choreography", "orchestration")


async def _rows(run_scenario, tmp_path, arms_of):
    for scenario, guards in arms_of:
        for style in STYLES:
            await run_scenario(scenario, style, guards=Guards.parse(guards))
    return find_runs(tmp_path / "runs")[0]


@pytest.mark.slow
async def test_a_lesson_names_the_fault_the_damage_each_style_and_the_safeguard(
    run_scenario, tmp_path
):
    rows = await _rows(
        run_scenario, tmp_path, [("lost_reply", "none"), ("lost_reply", "-inbox"), ("lost_reply", "all")]
    )  # fmt: skip
    lesson, last = lessons(rows)
    assert lesson == (
        "Payment takes the money, but its answer is lost (lost_reply). Without inbox: orders had ChargePayment done twice"
        " (6 of 12 in choreography, 6 of 12 in orchestration)."
        " Hurt without any safeguard: 6 of 12 in choreography, 6 of 12 in orchestration."
    )
    assert last.startswith("With all safeguards: 0 of 24 (at most ")
    found = arms(rows)
    assert [(arm.style, arm.hurt) for arm in found if str(arm.guards) == "-inbox"] == [
        (style, 6) for style in STYLES
    ]
    texts = [text.get_text().strip() for text in hurt_bars(found).axes[0].texts]
    assert texts.count("6 of 12") == 4


@pytest.mark.slow
async def test_a_safeguard_that_one_style_lacks_is_said_to_have_no_counterpart_there(
    run_scenario, tmp_path
):
    rows = await _rows(run_scenario, tmp_path, [("crash_after_commit", "-outbox"), ("crash_after_commit", "all")])  # fmt: skip
    lesson, _ = lessons(rows)
    assert "Without outbox: " in lesson
    assert lesson.endswith("; no counterpart in orchestration.")


async def test_without_an_arm_with_all_safeguards_there_is_no_lesson(run_scenario, tmp_path):
    rows = await _rows(run_scenario, tmp_path, [("lost_reply", "-inbox")])
    assert lessons(rows) == []


def test_every_headline_teaches_by_comparison_with_all_safeguards():
    for name in ("order", "trip"):
        headline = headline_of(load_saga(name))
        scenarios = {scenario.name for scenario, _ in headline}
        assert {s.name for s, guards in headline if guards == Guards.all()} == scenarios
        off = {str(guards) for _, guards in headline}
        assert {"all", "none", "-inbox", "-dead_letters"} <= off


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_demo_says_what_broke_what_prevents_it_and_which_order_to_look_at(saga):
    words = ["--orders", "16", "--broker", "memory", "--engine", "inprocess"]
    done = saga("demo", *words)
    assert done.returncode == 0, done.stdout
    first = done.stdout.splitlines()[:4]
    assert [line.partition(".")[0][:12] for line in first[:1]] == ["- Payment ta"]
    assert all(line.startswith("- ") for line in first)
    assert first[-1].startswith("- With all safeguards: 0 of ")
    for scenario, guard in (("lost_reply", "inbox"), ("crash_after_commit", "outbox")):
        assert any(f"({scenario}). Without {guard}: " in line for line in first)
    (look,) = [line for line in done.stdout.splitlines() if line.startswith("Look at this order")]
    command = done.stdout.splitlines()[done.stdout.splitlines().index(look) + 1].split()
    assert command[:2] == ["saga", "where"]
    where = saga(*command[1:], "--json")
    assert where.returncode == 0
    assert command[2] in json.dumps(json.loads(where.stdout))


def test_a_headline_that_names_no_scenario_is_refused_in_one_line(saga, tmp_path):
    assert saga("new", "shop").returncode == 0
    index = tmp_path / "shop/scenarios/index.py"
    index.write_text(index.read_text().replace('"happy_path"', '"sad_path"'))
    done = saga("demo", "--saga", "./shop")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "names 'sad_path': scenarios are happy_path, " in done.stderr
