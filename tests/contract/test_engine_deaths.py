"""An execution that takes the engine down is set aside at the second death; those beside it, and those that only wait, go on."""

import asyncio
import contextlib
import json
import subprocess
import sys

import pytest

from kernel.child import free_port, listens
from orchestration.engine.history import SET_ASIDE
from orchestration.engine.in_hand import NOTHING, open_in_hand, watched
from orchestration.step_functions import boto3_call
from tests.contract.engines import start, wait_for_end

DEADLY = """
import asyncio, os, sys
from pathlib import Path
from orchestration.engine import states
from orchestration.server import serve
port, folder, poison = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
entered_pass = states.HANDLERS["Pass"]
async def deadly(entered):
    if poison.exists() and entered.state.get("Comment") == "deadly":
        os._exit(9)
    return await entered_pass(entered)
states.HANDLERS["Pass"] = deadly
asyncio.run(serve(port=port, data=folder, lambda_endpoint="http://127.0.0.1:1", time_scale=1.0, durability="process"))
"""


@contextlib.asynccontextmanager
async def _life(folder, poison):
    """One life of an engine that dies of a deadly state as long as `poison` is there: (process, call)."""
    port = free_port()
    command = [sys.executable, "-c", DEADLY, str(port), str(folder), str(poison)]
    process = await asyncio.to_thread(
        subprocess.Popen, command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        async with asyncio.timeout(20):
            while process.poll() is None and not await listens(port):
                await asyncio.sleep(0.02)
        async with boto3_call(f"http://127.0.0.1:{port}") as call:
            yield process, call
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)


async def _dead(process):
    async with asyncio.timeout(20):
        while process.poll() is None:
            await asyncio.sleep(0.02)
    return process.returncode


def _machine(**deadly):
    return {
        "StartAt": "W",
        "States": {
            "W": {"Type": "Wait", "Seconds": 1, "Next": "P"},
            "P": {"Type": "Pass", **deadly, "End": True},
        },
    }


@pytest.mark.slow
async def test_what_was_in_hand_at_two_deaths_is_set_aside_and_can_be_redriven(tmp_path):
    folder, poison = tmp_path / "data", tmp_path / "poison"
    folder.mkdir()
    poison.touch()
    branches = {"Type": "Parallel", "Branches": [_machine(Comment="deadly")], "End": True}
    inside = {"StartAt": "A", "States": {"A": branches}}
    waiting = {"StartAt": "L", "States": {"L": {"Type": "Wait", "Seconds": 600, "End": True}}}
    async with _life(folder, poison) as (process, call):
        deadly = await start(call, inside, name="deadly")
        made = {"name": "w", "definition": json.dumps(waiting), "roleArn": "arn:aws:iam::000000000000:role/r"}  # fmt: skip
        machine = (await call("CreateStateMachine", made))["stateMachineArn"]
        beside = (await call("StartExecution", {"stateMachineArn": machine}))["executionArn"]
        assert await _dead(process) == 9
    async with _life(folder, poison) as (process, _):
        assert await _dead(process) == 9
    async with _life(folder, poison) as (process, call):
        ended = await wait_for_end(call, deadly)
        assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
        assert ended["cause"] == SET_ASIDE
        last = (await call("GetExecutionHistory", {"executionArn": deadly}))["events"][-1]
        assert last["type"] == "ExecutionFailed"
        assert (await call("DescribeExecution", {"executionArn": beside}))["status"] == "RUNNING"
        poison.unlink()
        await call("RedriveExecution", {"executionArn": deadly})
        assert (await wait_for_end(call, deadly))["status"] == "SUCCEEDED"
        process.kill()
        assert deadly in await asyncio.to_thread(process.stderr.read)


@pytest.mark.slow
async def test_one_death_sets_nothing_aside(tmp_path):
    folder, poison = tmp_path / "data", tmp_path / "poison"
    folder.mkdir()
    poison.touch()
    async with _life(folder, poison) as (process, call):
        execution = await start(call, _machine(Comment="deadly"))
        assert await _dead(process) == 9
    poison.unlink()
    async with _life(folder, poison) as (_, call):
        assert (await wait_for_end(call, execution))["status"] == "SUCCEEDED"


@pytest.mark.slow
async def test_an_engine_that_is_killed_again_and_again_sets_aside_nothing_that_waits(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    execution = None
    for life in range(3):
        async with _life(folder, tmp_path / "none") as (_, call):
            if life == 0:
                execution = await start(call, waits)
            about = await call("DescribeExecution", {"executionArn": execution})
            assert about["status"] == "RUNNING"


async def test_work_is_in_hand_while_it_runs_and_not_while_it_waits(tmp_path):
    with open_in_hand(tmp_path / "hand") as hand:
        seen, gate = [], asyncio.Event()

        async def work():
            seen.append(hand.found())
            try:
                await gate.wait()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                seen.append(hand.found())
                raise

        task = asyncio.create_task(watched(work, hand, lambda: (7, len(seen))))
        await asyncio.sleep(0)
        assert hand.found() == NOTHING
        gate.set()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert seen == [(7, 0), (7, 1)]
        assert hand.found() == NOTHING
        hand.put((3, 4))
    with open_in_hand(tmp_path / "hand") as hand:
        assert hand.found() == (3, 4)
