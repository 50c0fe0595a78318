"""A disk that fills up under an engine: nothing is lost or done twice, and what is in flight goes on once there is room."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager, suppress

import pytest

from kernel.child import free_port
from kernel.errors import Failure
from orchestration.step_functions import ROLE, Refused
from tests.contract.engines import LAMBDA, open_engine, start, wait_for_end

SLOW_S = 0.3
PAD = "x" * 5_000
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}]


def _task(name, **more):
    return {"Type": "Task", "Resource": f"{LAMBDA}{name}", "Retry": RETRY, **more}


def _branch(name):
    return {"StartAt": name, "States": {name: _task(name, End=True)}}


MACHINE = {
    "StartAt": "a",
    "States": {
        "a": _task("a", Next="W"),
        "W": {"Type": "Wait", "Seconds": 1, "Next": "P"},
        "P": {"Type": "Parallel", "Branches": [_branch("b"), _branch("c")], "Next": "flaky"},
        "flaky": _task("flaky", InputPath="$[0]", End=True),
    },
}


class _Functions:
    """Slow ones that count their calls by (function, order); `flaky` fails the first one."""

    def __init__(self):
        self.calls = Counter()
        self.by_name = {name: self._function(name) for name in ("a", "b", "c", "flaky")}

    def _function(self, name):
        async def function(payload):
            call = name, json.loads(payload)["n"]
            self.calls[call] += 1
            await asyncio.sleep(SLOW_S)
            if name == "flaky" and self.calls[call] == 1:
                raise Failure("the first time")
            return payload

        return function

    def expected(self, orders):
        """Every call as often as if nothing had happened."""
        return Counter(
            {(name, n): 1 + (name == "flaky") for name in self.by_name for n in range(orders)}
        )


async def _start(call, orders):
    """Executions of MACHINE, begun one after another so that they are in different states."""
    made = {"name": "m", "definition": json.dumps(MACHINE), "roleArn": ROLE}
    machine = (await call("CreateStateMachine", made))["stateMachineArn"]
    started = []
    for n in range(orders):
        given = json.dumps({"n": n, "pad": PAD})
        request = {"stateMachineArn": machine, "name": f"e{n}", "input": given}
        started.append((await call("StartExecution", request))["executionArn"])
        await asyncio.sleep(SLOW_S / 2)
    return machine, started


async def _check_that_nothing_is_taken(call, machine, started):
    """While the disk is full: writes are refused, reads are answered, and who runs still runs."""
    request = {"stateMachineArn": machine, "name": "late", "input": json.dumps({"pad": PAD})}
    with pytest.raises(Refused, match="ServiceUnavailable"):
        await call("StartExecution", request)
    with pytest.raises(Refused, match="ServiceUnavailable"):
        await call("StopExecution", {"executionArn": started[-1]})
    for execution in started:
        found = await call("DescribeExecution", {"executionArn": execution})
        assert found["status"] == "RUNNING"


async def _check_the_end(call, started):
    for execution in started:
        assert (await wait_for_end(call, execution))["status"] == "SUCCEEDED"
        history = await call("GetExecutionHistory", {"executionArn": execution})
        events = history["events"]
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))


@contextmanager
def _small_disk(path):
    path.mkdir()
    if os.geteuid() != 0:
        pytest.skip("to mount a small disk takes root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def _fill(disk):
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.slow
async def test_executions_go_on_without_a_restart_once_a_full_disk_has_room(tmp_path):
    functions = _Functions()
    with _small_disk(tmp_path / "disk") as disk:
        async with open_engine("embedded", disk, functions.by_name, time_scale=1) as engine:
            machine, started = await _start(engine.call, 6)
            _fill(disk)
            await asyncio.sleep(2)
            await _check_that_nothing_is_taken(engine.call, machine, started)
            (disk / "filler").unlink()
            await _check_the_end(engine.call, started)
    assert functions.calls == functions.expected(6)


@pytest.mark.slow
async def test_an_engine_in_this_process_goes_on_too(tmp_path, caplog):
    functions = _Functions()
    async with open_engine("inprocess", tmp_path, functions.by_name, time_scale=1) as engine:
        machine, started = await _start(engine.call, 6)
        pages = engine.engine.engine()._database
        await pages.read(lambda tx: tx.one("PRAGMA max_page_count = 1"))
        await asyncio.sleep(1)
        await _check_that_nothing_is_taken(engine.call, machine, started)
        caplog.set_level(logging.INFO)
        await pages.read(lambda tx: tx.one("PRAGMA max_page_count = 100000"))
        await _check_the_end(engine.call, started)
    assert functions.calls == functions.expected(6)
    assert ["full" in r.message or "room" in r.message for r in caplog.records] == [True, True]


async def test_an_answer_that_is_sent_again_while_the_disk_is_full_is_taken_once(tmp_path):
    async with open_engine("inprocess", tmp_path, {}) as engine:
        call = engine.call
        activity = (await call("CreateActivity", {"name": "a"}))["activityArn"]
        state = {"Type": "Task", "Resource": activity, "End": True}
        execution = await start(call, {"StartAt": "T", "States": {"T": state}})
        token = (await call("GetActivityTask", {"activityArn": activity}))["taskToken"]
        pages = engine.engine.engine()._database
        await pages.read(lambda tx: tx.one("PRAGMA max_page_count = 1"))
        answer = {"taskToken": token, "output": json.dumps(PAD)}
        sent = asyncio.gather(*(call("SendTaskSuccess", answer) for _ in range(2)))
        await asyncio.sleep(0.2)
        assert not sent.done()
        with pytest.raises(Refused, match="TaskTimedOut"):
            await call("SendTaskFailure", {"taskToken": token})
        await pages.read(lambda tx: tx.one("PRAGMA max_page_count = 100000"))
        assert await sent == [{}, {}]
        assert (await wait_for_end(call, execution))["status"] == "SUCCEEDED"


def test_an_engine_that_finds_no_room_ends_with_one_line(tmp_path):
    with _small_disk(tmp_path / "disk") as disk:
        _fill(disk)
        command = [
            *(sys.executable, "-m", "testbed", "engine", "--port", str(free_port())),
            *("--data", str(disk / "new"), "--lambda-endpoint", "http://127.0.0.1:9"),
        ]
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert "full" in ended.stderr or "space" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
