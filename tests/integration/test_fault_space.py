"""Sweep, ablation and check of the judge, as a user runs them: small ones here, whole ones in make long."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from kernel.errors import Failure, UsageError
from scenarios.campaigns import sweep as sweeping
from scenarios.campaigns.jobs import Job, run_jobs
from scenarios.campaigns.sweep import NOT_RUN, Sweep
from scenarios.faults.plan import Moment
from scenarios.faults.space import ALWAYS, ONCE, Cell, Strike
from scenarios.judge.predictions import predictions
from scenarios.runs.folder import read_json
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA
from testbed import cli

PROGRAM = [sys.executable, "-c", "from testbed.cli import main; main()"]
pytestmark = pytest.mark.timeout(120)


def _saga(*arguments, timeout=110):
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _sweep(**changes):
    settings = {
        "depth": 1, "sample": 0, "styles": list(STYLES), "guards": "all", "broker": "memory",
        "engine": "inprocess", "orders": 2, "seed": 1, "rate_per_s": 100.0, "time_scale": 0.05,
        "variant": "inventory-first",
    }  # fmt: skip
    return Sweep(**settings | changes)


def _cells(moment, *operations, when=ONCE):
    return [
        Cell(
            saga=SAGA, style=style, strikes=(Strike(operation=operation, when=when, moment=moment),)
        )
        for operation in operations
        for style in STYLES
    ]


def _swept(tmp_path, cells, **changes):
    found = []
    sweeping.run_sweep(_sweep(**changes), cells, tmp_path, done=found.append)
    return {result.key: result for result in found}


@pytest.mark.alone
@pytest.mark.slow
def test_cells_of_every_kind_come_to_what_they_must(tmp_path):
    cells = [
        *_cells(Moment.REQUEST_DUPLICATED, "RefundPayment"),
        *_cells(Moment.POISON, "ChargePayment"),
        *_cells(Moment.ANSWER_DUPLICATED, "PlaceOrder"),
        *_cells(Moment.REFUSED, "CancelOrder"),
        *_cells(Moment.REQUEST_REORDERED, "ChargePayment", when=ALWAYS),
        *_cells(Moment.COORDINATOR_UNREACHABLE, "BookShipment"),
        *_cells(Moment.COORDINATOR_FROZEN, "CancelShipment"),
        *_cells(Moment.COORDINATOR_FORGOT, "ReserveStock", "ReleaseStock"),
    ]
    results = _swept(tmp_path, cells)
    assert not [r.key for r in results.values() if r.unexpected]
    assert not [r.key for r in results.values() if r.worst == sweeping.NOT_STRUCK]
    not_run = {r.key.partition(",")[0]: r.why for r in results.values() if r.worst == NOT_RUN}
    assert len(not_run) == 3
    assert "no counterpart" in not_run["orchestration: answer.duplicated at PlaceOrder"]
    forgotten = [r for r in results.values() if r.expected]
    assert {r.worst for r in forgotten} == {"stuck", "broken law"}
    (tmp_path / "virtual").mkdir()
    virtual = _swept(tmp_path / "virtual", cells, simulated=True)
    assert {k: r.worst for k, r in virtual.items()} == {k: r.worst for k, r in results.items()}
    assert all(read_json(tmp_path / "runs" / _folder(r) / "verdict.json") for r in forgotten)


def _folder(result):
    """The run that a cell keeps: named in its replay by the plan beside it."""
    return result.replay.rpartition("runs/")[2].partition("/")[0]


@pytest.mark.slow
def test_a_cell_without_its_guard_shows_the_damage_and_how_to_see_it_again(tmp_path):
    cells = _cells(Moment.REQUEST_DUPLICATED, "ChargePayment")
    results = _swept(tmp_path, cells, guards="-inbox")
    assert {r.worst for r in results.values()} == {"duplicated"}
    for result in results.values():
        again = _saga(*result.replay.split()[1:], "--out", tmp_path / "again", "--json")
        assert again.returncode == 1
        assert json.loads(again.stdout)["runs"][0]["classes"]["duplicated"] == 1


def test_a_service_that_dies_of_its_own_event_does_so_a_bounded_number_of_times(tmp_path):
    """Shipping hears its own ShipmentBookingFailed, dies after each commit, and publishes again what it had not marked."""
    cells = _cells(Moment.CRASH_AFTER_COMMIT, "CancelShipment", when=ALWAYS)
    for result in _swept(tmp_path, cells, orders=4).values():
        assert not result.unexpected, result
        assert 0 < result.struck[0] <= 2 * 30


@pytest.mark.slow
def test_a_sweep_goes_on_where_it_was_and_refuses_another_ones_folder(tmp_path):
    cells = _cells(Moment.SLOW, "PlaceOrder", "ReserveStock")
    first = _swept(tmp_path, cells[:2])
    with (tmp_path / sweeping.CELLS).open("a") as file:
        file.write('{"key": "cut off by a kil')
    second = _swept(tmp_path, cells)
    assert not first.keys() & second.keys()
    assert len(sweeping.results(tmp_path)) == len(cells)
    sweeping.begin(tmp_path, _sweep())
    with pytest.raises(UsageError, match="another seed"):
        sweeping.begin(tmp_path, _sweep(seed=2))


@pytest.mark.alone
@pytest.mark.slow
def test_pairs_of_faults_are_swept_drawn_and_resumed_by_the_command(tmp_path):
    options = ("sweep", "--simulated", "--depth", 2, "--sample", 3, "--json")
    done = _saga(*options, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    folder = next(tmp_path.iterdir())
    assert told["cells"] == 6
    assert (folder / "heat_map.png").stat().st_size > 10_000
    again = _saga(*options, "--resume", folder)
    assert json.loads(again.stdout)["cells"] == 6
    other = _saga(*options, "--seed", 5, "--resume", folder)
    assert (other.returncode, "another" in other.stderr) == (2, True)


@pytest.mark.alone
@pytest.mark.slow
def test_an_interrupted_sweep_leaves_no_process_and_says_how_to_go_on(tmp_path):
    process = subprocess.Popen(
        [*PROGRAM, "sweep", "--out", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("*/cells.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "--resume" in out + err
    assert "Traceback" not in err
    deadline = time.monotonic() + 10  # multiprocessing's own tracker takes a moment
    while _lives(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _lives(process.pid)


def _lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_dies_is_a_failure_and_not_a_silence(tmp_path):
    job = Job(
        key="x", scenario="no such scenario", style="choreography", orders=1, seed=1,
        time_scale=0.05, rate_per_s=100,
    )  # fmt: skip
    with pytest.raises(Failure, match="worker"):
        run_jobs(
            [job], broker="memory", engine="inprocess", at_once=1, runs=tmp_path,
            keep=lambda outcome: False, done=lambda outcome: None,
        )  # fmt: skip


@pytest.mark.alone
@pytest.mark.slow
def test_an_ablation_says_which_guard_prevents_what(tmp_path):
    done = _saga(
        "ablate", "delivered_twice", "card_declined", "answered_twice",
        "--orders", 8, "--out", tmp_path, "--json",
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (done.returncode, told["problems"]) == (0, [])
    damage = {(c["guard"], c["scenario"], c["style"]): c["damage"] for c in told["cells"]}
    for style in STYLES:
        assert damage["inbox", "delivered_twice", style] == "duplicated"
        assert damage["semantic_lock", "card_declined", style] == "lied"
        assert damage["all", "delivered_twice", style] == ""
    without = [c for c in told["cells"] if not c["counterpart"]]
    assert {c["style"] for c in without} == {"orchestration"}
    assert {c["guard"] for c in without if c["scenario"] == "card_declined"} == {
        "outbox", "confirms", "dead_letters",
    }  # fmt: skip
    assert (next(tmp_path.iterdir()) / "guard_matrix.png").exists()


@pytest.mark.alone
@pytest.mark.slow
def test_the_judge_is_judged_by_the_command(tmp_path):
    done = _saga(
        "check-oracle", "refund_fire_and_forget", "catch_missing",
        "--repeat", 1, "--clean", 100, "--out", tmp_path, "--json",
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (0, True)
    assert [(f["bug"], f["style"], f["detected"]) for f in told["findings"]] == [
        ("refund_fire_and_forget", "choreography", 1),
        ("refund_fire_and_forget", "orchestration", 1),
        ("catch_missing", "orchestration", 1),
    ]
    assert told["clean_alarms"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check-oracle", "no_such_bug"), "unknown bug"),
        (("ablate", "no_such_story"), "unknown scenario"),
        (("sweep", "--guards=-nothing"), "unknown guards"),
        (("sweep", "--resume", "no/such/folder"), "no folder of a sweep"),
        (("sweep", "--style", "telepathy"), "unknown style"),
    ],
)
def test_bad_input_gets_one_line(tmp_path, monkeypatch, capsys, arguments, told):
    monkeypatch.setattr(sys, "argv", ["saga", *arguments, "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert told in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.slow
def test_repeated_runs_are_told_as_rates_with_intervals(tmp_path):
    done = _saga(
        "run", "card_declined", "--repeat", 2, "--orders", 10, "--rate", 200,
        "--broker", "memory", "--out", tmp_path, "--json",
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert [rate["seeds"] for rate in told["rates"]] == [[1, 2], [1, 2]]
    shown = told["rates"][0]["inconsistent_orders"]
    assert (shown["k"], shown["n"]) == (0, 20)
    assert shown["high_ratio"] == pytest.approx(
        0.168, abs=0.001
    )  # Clopper and Pearson's for 0 of 20
    styles = [(run["style"], run["seed"]) for run in told["runs"]]
    assert sorted(styles) == [(s, n) for s in STYLES for n in (1, 2)]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_whole_sweep_of_depth_one_finds_nothing_on_the_embedded_pair(tmp_path):
    done = _saga("sweep", "--out", tmp_path, "--json", timeout=590)
    told = json.loads(done.stdout)
    assert (done.returncode, told["cells"]) == (0, 702)
    assert all(cell["expected"] for cell in told["bad"])


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_whole_sweep_of_depth_one_finds_nothing_on_the_real_pair(tmp_path, rabbit):
    done = _saga("sweep", "--broker", "rabbitmq", "--out", tmp_path, "--json", timeout=1790)
    told = json.loads(done.stdout)
    assert (done.returncode, told["cells"]) == (0, 702)
    assert all(cell["expected"] for cell in told["bad"])


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", [(), ("--simulated",)], ids=["real_time", "simulated"])
@pytest.mark.parametrize("guard", sorted({p.guard for p in predictions(SAGA)}))
def test_without_a_guard_the_damage_is_where_theory_says(tmp_path, guard, how):
    done = _saga("sweep", *how, f"--guards=-{guard}", "--out", tmp_path, "--json", timeout=890)
    theory = json.loads(done.stdout)["theory"]
    assert theory["predicted"] > 0
    assert theory["contradicted"] == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_no_guard_is_needless(tmp_path):
    done = _saga("ablate", "--out", tmp_path, "--json", timeout=890)
    assert (done.returncode, json.loads(done.stdout)["problems"]) == (0, [])


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_thirty_thousand_clean_sagas_raise_no_alarm(tmp_path):
    done = _saga(
        "check-oracle", "no_tombstones", "--repeat", 1, "--clean", 30_000,
        "--out", tmp_path, "--json", timeout=1790,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (done.returncode, told["clean_alarms"]) == (0, [])
