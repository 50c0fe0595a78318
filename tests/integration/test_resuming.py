"""A run that was killed or interrupted is still there: to look at, to report on, and to be resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kernel.errors import NotDelivered
from scenarios.runs.one_run import OneRun

PROGRAM = [sys.executable, "-c", "from testbed.cli import main; main()"]
ORDERS, RATE = 90, 30


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def _served(folder):
    path = folder / "work/customers.jsonl"
    return {c["index"] for c in _lines(path) if c["accepted_mono_s"]} if path.exists() else set()


def _killed(tmp_path, broker, style, number, *, scenario="refund_fails_forever", more=(), noted=""):
    """The folder of a run that got a signal when a third of its customers had been served, and `noted` was in its record of faults."""
    words = ["--broker", broker, "--style", style, "--orders", ORDERS, "--rate", RATE, "--time-scale", 0.05]  # fmt: skip
    process = subprocess.Popen(
        [*PROGRAM, "run", scenario, *map(str, words), *more],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 50
    while time.monotonic() < until:
        found = list(tmp_path.glob("runs/**/run.json"))
        if found and len(_served(found[0].parent)) >= ORDERS // 3:
            faults = found[0].parent / "work/run.faults.jsonl"
            if not noted or noted in faults.read_text():
                break
        time.sleep(0.02)
    if number == signal.SIGKILL:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    process.wait(30)
    (run,) = tmp_path.glob("runs/**/run.json")
    return run.parent


@pytest.fixture
def saga_as_is(saga, monkeypatch, broker, request):
    if broker == "rabbitmq":
        request.getfixturevalue("rabbit")
    return saga


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("broker", "style", "number"),
    [
        pytest.param("memory", "choreography", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("memory", "orchestration", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("memory", "choreography", signal.SIGINT, marks=pytest.mark.long),
        pytest.param("memory", "orchestration", signal.SIGKILL, marks=pytest.mark.long),
        pytest.param("rabbitmq", "choreography", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("rabbitmq", "choreography", signal.SIGINT, marks=pytest.mark.long),
        pytest.param("rabbitmq", "orchestration", signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_is_seen_and_resumed_and_loses_no_order(
    saga_as_is, tmp_path, broker, style, number
):
    saga = saga_as_is
    folder = _killed(tmp_path, broker, style, number)
    status = json.loads((folder / "run.json").read_text())["status"]
    assert status == ("running" if number == signal.SIGKILL else "interrupted")
    done = saga("report", "runs")
    assert done.returncode == 2
    assert f"was interrupted (saga run --resume {folder.relative_to(tmp_path)})" in done.stderr
    served = _served(folder)
    assert len(served) < ORDERS
    where = saga("where", "order-00002")
    assert where.returncode == 0
    assert "which was interrupted" in where.stdout
    assert "PlaceOrder" in saga("trace", "order-00002").stdout
    group = {"choreography": "dead-letters", "orchestration": "executions"}[style]
    parked = json.loads(saga(group, "list", folder, "--json").stdout)["parked"]
    assert {p["operation"] for p in parked} <= {"RefundPayment"}
    refused = saga(group, "redrive", folder, "--all")
    assert refused.returncode == 2
    assert f"saga run --resume {folder}" in refused.stderr
    before = {p["order_id"] for p in parked}

    done = saga("run", "--resume", folder, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    (run,) = json.loads(done.stdout)["runs"]
    assert sum(run["classes"].values()) == ORDERS
    ended = {name for name, n in run["classes"].items() if n}
    # The deadline of an order that was open may have passed while the run was down.
    assert {"committed", "parked"} <= ended <= {"committed", "parked", "compensated"}
    about = json.loads((folder / "run.json").read_text())
    assert (about["status"], about["resumed"], about["comparable"]) == ("complete", 1, False)
    assert any(note.startswith("resumed after an interruption") for note in about["notes"])
    assert not (folder / "work").exists()
    assert not list(tmp_path.glob("runs/**/.server-*"))
    orders = _lines(folder / "orders.jsonl")
    assert [order["index"] for order in orders] == list(range(ORDERS))
    assert all(order["told"][-1] for order in orders)
    after = json.loads(saga(group, "list", folder, "--json").stdout)["parked"]
    assert before <= {p["order_id"] for p in after}
    assert saga("report", folder).returncode == 0
    again = saga("run", "--resume", folder)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "is complete: only an interrupted run can be resumed" in again.stderr


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["memory"])
def test_a_fault_that_has_struck_does_not_strike_again(saga_as_is, tmp_path, broker):
    folder = _killed(
        tmp_path, broker, "choreography", signal.SIGKILL, scenario="crash_after_commit"
    )
    struck = [e for e in _lines(folder / "work/run.faults.jsonl") if e[0] == "struck"]
    assert struck
    assert saga_as_is("run", "--resume", folder).returncode == 0
    found = [f for f in _lines(folder / "faults.jsonl") if f["struck"]]
    assert len({(f["order_id"], f["operation"], f["attempt"]) for f in found}) == len(found)
    assert {(e[2], e[4]) for e in struck} <= {(f["order_id"], f["attempt"]) for f in found}


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["memory"])
def test_who_was_on_the_way_when_the_run_was_killed_had_come_before(saga_as_is, tmp_path, broker):
    held = {"orders": [0], "operation": "PlaceOrder", "moment": "request.delayed", "for_s": 75}
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"schema": 1, "faults": [held]}))
    folder = _killed(
        tmp_path,
        broker,
        "choreography",
        signal.SIGKILL,
        scenario="any_ending",
        more=["--plan", str(plan), "--variety", "none"],
        noted="request.delayed",
    )
    journal = folder / "work/customers.jsonl"
    noted = [c for c in _lines(journal) if c["index"] or c["accepted_mono_s"] is None]
    journal.write_text("".join(json.dumps(customer) + "\n" for customer in noted))
    assert saga_as_is("run", "--resume", folder).returncode == 0
    timing = json.loads((folder / "verdict.json").read_text())["timing"]["orders"]
    times = {order["order_id"]: order["latency_s"] for order in timing}
    assert times["order-00000"] is not None
    assert min(s for s in times.values() if s is not None) > 0


@pytest.mark.parametrize("broker", ["memory"])
def test_one_at_a_time_resumes_a_run_and_nobody_one_that_lives(saga_as_is, tmp_path, broker):
    words = ["--broker", "memory", "--style", "choreography", "--orders", "200", "--rate", "20"]
    process = subprocess.Popen(
        [*PROGRAM, "run", "happy_path", *words],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 30
        while not list(tmp_path.glob("runs/*/*/customers.jsonl")) and time.monotonic() < until:
            time.sleep(0.05)
        (folder,) = tmp_path.glob("runs/*")
        done = saga_as_is("run", "--resume", folder)
        assert done.returncode == 2
        assert "is running: only an interrupted run can be resumed" in done.stderr
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("broker", ["memory"])
@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda folder: (folder / "work").rename(folder / "gone"), "has kept nothing of its state: run it again: saga run"),
        (lambda folder: (folder / "work/customers.jsonl").unlink(), "cannot be read: the run folder is damaged"),
        (lambda folder: (folder / "work/order.sqlite").write_bytes(b"x" * 8192), "order.sqlite"),
    ],
    ids=["state", "journal", "database"],
)  # fmt: skip
def test_what_is_missing_or_damaged_is_said_in_one_line(saga_as_is, tmp_path, broker, harm, told):
    folder = _killed(tmp_path, broker, "choreography", signal.SIGKILL)
    harm(folder)
    for left in folder.glob("work/order.sqlite-*"):
        left.unlink()
    done = saga_as_is("run", "--resume", folder)
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr + done.stdout
    assert told in done.stderr + done.stdout


def test_scenarios_or_a_folder_but_not_both(saga, tmp_path):
    for words in ([], ["happy_path", "--resume", tmp_path]):
        done = saga("run", *words)
        assert done.returncode == 2
        assert "give scenarios (see saga list), --bug NAME, or --resume FOLDER" in done.stderr


def test_a_folder_that_is_no_run_is_refused(saga, tmp_path):
    done = saga("run", "--resume", tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert Path(tmp_path).is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["memory"])
def test_the_doctor_names_interrupted_runs_and_how_to_resume_them(saga_as_is, tmp_path, broker):
    assert saga_as_is("doctor").returncode == 0
    folder = _killed(tmp_path, broker, "choreography", signal.SIGKILL)
    done = saga_as_is("doctor", "--json")
    rows = {row["what"]: row for row in json.loads(done.stdout)["found"]}
    assert done.returncode == 0
    assert rows["Python"]["state"] == "ok"
    assert rows[folder.name]["state"] == "note"
    assert f"saga run --resume {folder.relative_to(tmp_path)}" in rows[folder.name]["do"]


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["memory"])
def test_a_run_that_names_a_strange_folder_as_its_servers_data_is_refused(
    saga_as_is, tmp_path, broker
):
    folder = _killed(tmp_path, broker, "choreography", signal.SIGKILL)
    (tmp_path / "precious").mkdir()
    about = json.loads((folder / "run.json").read_text()) | {"server": "../../precious"}
    (folder / "run.json").write_text(json.dumps(about))
    done = saga_as_is("run", "--resume", folder)
    assert (done.returncode, done.stderr.count("error:")) == (2, 1)
    assert "is no folder of a server's data" in done.stderr
    assert (tmp_path / "precious").is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["memory"])
def test_a_run_that_cannot_be_resumed_now_keeps_its_state_for_the_next_try(
    saga_as_is, tmp_path, broker, monkeypatch
):
    folder = _killed(tmp_path, broker, "choreography", signal.SIGKILL)

    async def broken(self):
        raise NotDelivered("the broker does not answer")

    with monkeypatch.context() as now:
        now.setattr(OneRun, "_run_in", lambda self, work: broken(self))
        done = saga_as_is("run", "--resume", folder)
    assert (done.returncode, done.stderr.count("error:")) == (3, 1)
    assert "can be tried again: the broker does not answer" in done.stderr
    assert (folder / "work/order.sqlite").exists()
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    assert saga_as_is("run", "--resume", folder).returncode == 0
