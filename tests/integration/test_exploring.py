"""Exploring and replaying as a user does: small here; a million sagas and every planted bug by hand or in make long."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from report.exploration import hunted_markdown
from scenarios.campaigns.simulation.agreement import compare
from scenarios.campaigns.simulation.explore import explore
from scenarios.campaigns.simulation.hunt import hunt
from scenarios.campaigns.simulation.schedule import Schedule, Space
from scenarios.campaigns.simulation.shrink import size
from scenarios.campaigns.sweep import results
from scenarios.styles.index import STYLES
from shared_domain.order.bugs.index import BUGS
from shared_domain.order.saga import SAGA
from testbed.commands.every_bug import stories_markdown

DOCS = Path(__file__).parents[2] / "docs"
PROGRAM = [sys.executable, "-c", "from testbed.cli import main; main()"]
pytestmark = pytest.mark.timeout(120)


def _saga(*arguments, cwd):
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd
    )


def _wrong(folder, name="schedule.json", **changes):
    """A schedule with a planted bug that one fault brings to light."""
    late = {
        "orders": [0], "operation": "ReserveStock", "moment": "request.delayed", "for_s": 75.0
    }  # fmt: skip
    plan = {"schema": 1, "faults": [late]}
    document = {"schema": 1, "style": "choreography", "faults": plan, "bug": "no_tombstones"}
    (folder / name).write_text(json.dumps(document | changes))
    return folder / name


@pytest.mark.alone
@pytest.mark.slow
def test_exploring_with_every_guard_finds_nothing_and_says_how_much_that_means(tmp_path):
    done = _saga("explore", "--runs", 120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0 of 120 (at most 2.5 %) schedules with something wrong" in done.stdout
    assert "runs/s" in done.stderr
    assert "states" in done.stderr


@pytest.mark.alone
@pytest.mark.slow
def test_a_bug_is_found_shrunk_told_and_left_as_files_that_replay_it(saga, tmp_path):
    done = _saga("explore", "--bug", "booking_not_idempotent", "--runs", 400, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Wrong: every effect is applied once" in done.stdout
    again = next(line for line in done.stdout.splitlines() if line.startswith("Again: saga "))
    replayed = saga(*again.split()[2:], "--simulated")
    assert replayed.returncode == 1, replayed.stderr
    assert "Wrong: every effect is applied once" in replayed.stdout
    (plan,) = tmp_path.glob("runs/*/plan-01.json")
    ran = _saga(
        "run", "any_ending", "--plan", plan, "--orders", 2, "--broker", "memory", cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr


def test_a_bug_that_is_not_found_is_no_success(tmp_path):
    done = _saga("explore", "--bug", "no_tombstones", "--runs", 40, "--faults", 0, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "no_tombstones was not found" in done.stdout


@pytest.mark.alone
@pytest.mark.slow
def test_exploring_without_a_guard_collects_every_kind_once(tmp_path):
    done = _saga("explore", "--guards=-inbox", "--collect", "--runs", 80, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    kinds = [found["kind"] for found in document["findings"]]
    assert len(kinds) == len(set(kinds)) > 1
    assert sum(found["runs"] for found in document["findings"]) == document["wrong"] > len(kinds)


@pytest.mark.slow
def test_a_replay_on_the_embedded_pair_agrees(saga, tmp_path):
    options = ("--broker", "memory", "--time-scale", 0.05, "--json")
    done = saga("replay", _wrong(tmp_path), *options)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["agreement"]["agrees"]
    assert document["agreement"]["real"] == [["half-done", False]]
    assert "an order that ended otherwise has no effects left" in document["rules"]


def test_a_fault_plan_is_not_taken_for_a_schedule(saga, tmp_path):
    (tmp_path / "plan.json").write_text('{"schema": 1, "faults": []}')
    done = saga("replay", "plan.json")
    assert (done.returncode, "this is a fault plan" in done.stderr) == (2, True)


def test_a_fault_that_can_never_strike_is_told(saga, tmp_path):
    late = {"orders": [7], "operation": "ReserveStock", "moment": "request.delayed"}
    path = _wrong(tmp_path, bug="", faults={"schema": 1, "faults": [late]})
    done = saga("replay", path, "--simulated")
    assert "no order of this run" in done.stdout
    assert "it found no occasion" in done.stdout


def test_a_replay_that_says_nothing_is_unknown(saga, tmp_path):
    """A bug that is planted in the state machine cannot be planted in one that has no such state."""
    path = _wrong(
        tmp_path, style="orchestration", bug="shipped_before_paid", variant="payment-first"
    )
    done = saga("replay", path, "--broker", "memory")
    assert (done.returncode, "said nothing" in done.stdout) == (3, True), done.stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("replay", "nowhere.json"), "nowhere.json"),
        (("explore", "--faults", "3..1"), "fewest"),
        (("explore", "--faults", "many"), "many"),
        (("explore", "--faults", "3.."), "3.."),
        (("explore", "--bug", "no_outbox", "--style", "orchestration"), "only in: choreography"),
        (("explore", "--check-real", "1", "--broker", "amqp://guest@127.0.0.1:1/"), "127.0.0.1"),
        (("explore", "--bug", "a_bee"), "a_bee"),
        (("explore", "--style", "dance"), "dance"),
        (("explore", "--guards=-belt"), "belt"),
        (("explore", "--every-bug", "--bug", "no_outbox"), "--every-bug"),
        (("sweep", "--simulated", "--broker", "rabbitmq"), "--simulated"),
    ],
)
def test_bad_input_gets_one_clear_line(arguments, word, saga, tmp_path):
    done = saga(*arguments)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert (done.returncode, len(errors)) == (2, 1), done.stderr
    assert word in errors[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


EXPLORE = ("explore", "--runs", "100000")
LONG_WORK = (
    pytest.param(EXPLORE, marks=pytest.mark.slow),
    pytest.param(
        ("explore", "--every-bug", "--runs", "100000", "--faults", "0"), marks=pytest.mark.long
    ),
    pytest.param(("sweep", "--simulated", "--depth", "2"), marks=pytest.mark.long),
)


def _begun(arguments, cwd):
    """The process, once its workers are at it, and those."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=cwd,
        stderr=subprocess.PIPE,
        text=True,
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 30
    workers = []
    while time.monotonic() < until and not any(w.cpu_times().user > 2 for w in workers):
        time.sleep(0.2)
        workers = psutil.Process(process.pid).children(recursive=True)
    return process, workers


@pytest.mark.alone
@pytest.mark.parametrize("arguments", LONG_WORK, ids=("explore", "hunt", "sweep"))
def test_interrupted_work_stops_at_once_and_leaves_nobody(arguments, tmp_path):
    process, workers = _begun(arguments, tmp_path)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, "interrupted" in errors) == (130, True), errors
    assert "Traceback" not in errors
    assert psutil.wait_procs(workers, timeout=5)[1] == []


@pytest.mark.alone
@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    process, workers = _begun(EXPLORE, tmp_path)
    process.kill()
    process.communicate()
    assert psutil.wait_procs(workers, timeout=10)[1] == []


@pytest.mark.alone
@pytest.mark.slow
def test_a_simulated_sweep_has_the_results_of_a_real_one(saga, tmp_path):
    """All of depth 1 takes seconds; the promises that are broken come to what is stated for them."""
    done = _saga("sweep", "--simulated", "--orders", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = tmp_path.glob("runs/*")
    found = results(folder)
    assert len([r for r in found if r.worst != "not run"]) == 674
    assert not [r for r in found if r.unexpected]
    (path,) = [r.replay for r in found if r.key.endswith("forgot at ChargePayment, first attempt") and r.style == "orchestration"]  # fmt: skip
    replayed = saga(*path.split()[1:], "--simulated")
    assert "Wrong: an accepted order ends, or an operator can see it" in replayed.stdout
    assert (folder / "heat_map.png").exists()


@pytest.mark.slow
async def test_schedules_end_alike_on_rabbitmq_and_the_engine_over_http(rabbit, tmp_path):
    space = Space(styles=list(STYLES), faults=(0, 3), seed=5)
    quick = [n for n in range(40) if not _disturbs(space.schedule(n))][:10]
    agreed = compare(
        [(number, space.schedule(number)) for number in quick],
        broker=rabbit.url,
        engine="embedded",
        time_scale=0.15,
        runs=tmp_path,
    )
    assert all(one.real for one in agreed), [one.why for one in agreed]
    assert [one.number for one in agreed if not one.agrees and not one.reached] == []


def _disturbs(schedule: Schedule) -> bool:
    return any(str(fault.moment).startswith("coordinator.") for fault in schedule.plan.faults)


def _found(bugs):
    hunted = hunt(SAGA, bugs, styles=STYLES, faults=(0, 3), runs=5000, seed=1)
    assert [(one.bug, one.style) for one in hunted if one.shrunk is None] == []
    assert [one for one in hunted if size(one.shrunk.schedule)[1] > 3] == []
    return hunted


def _published():
    return (DOCS / "planted_stories.md").read_text(encoding="utf-8")


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_fourth_planted_bug_is_found_and_its_story_is_the_published_one():
    _, *stories = stories_markdown(_found(list(BUGS.values())[::4])).split("## ")
    assert [story for story in stories if story.strip() not in _published()] == []


@pytest.mark.alone
@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_planted_bug_is_found_and_shrunk_to_three_faults_at_most():
    hunted = _found(BUGS.values())
    assert _published() == stories_markdown(hunted), "docs/planted_stories.md is stale"
    assert hunted_markdown(hunted) in (DOCS / "simulation.md").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_forty_thousand_schedules_and_nothing_wrong():
    space = Space(styles=list(STYLES), faults=(0, 3), seed=int(time.time()))
    found = explore(space, runs=40_000, collect=True)
    assert [first.schedule for _, first in found.kinds.values()] == []
