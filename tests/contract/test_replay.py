"""What a restarted engine must not do: run again what was over, or decide otherwise than is recorded."""

import asyncio
import json
import sqlite3

import aiohttp
import pytest

from kernel.clock import SystemClock
from kernel.errors import OutcomeUnknown
from orchestration.engine import states
from orchestration.step_functions import ROLE
from tests.contract.engines import LAMBDA, STATES, open_engine, start, wait_for_end

WAIT = {"Type": "Wait", "Seconds": 60, "Next": "Z"}
END = {"Type": "Succeed"}


class Calls(list):
    """Payloads of every call; `hold` keeps a call from being answered, `bad` fails it."""

    def functions(self):
        async def echo(payload):
            self.append(payload)
            return payload

        async def hold(payload):
            self.append(payload)
            await asyncio.sleep(30)
            return payload

        async def bad(payload):
            self.append("bad")
            raise OutcomeUnknown("told to")

        return {"echo": echo, "hold": hold, "bad": bad}


@pytest.fixture
def calls():
    return Calls()


@pytest.fixture
def functions(calls):
    return calls.functions()


def _task(name, **more):
    return {"Type": "Task", "Resource": LAMBDA + name, **({} if "Next" in more else {"End": True}), **more}  # fmt: skip


def _branch(name, state):
    return {"StartAt": name, "States": {name: state}}


async def _history(call, execution):
    request = {"executionArn": execution, "maxResults": 1000}
    return (await call("GetExecutionHistory", request))["events"]


async def _until(call, execution, kind):
    async with asyncio.timeout(20):
        while kind not in [event["type"] for event in await _history(call, execution)]:
            await asyncio.sleep(0.005)


async def _restart(engines):
    await engines.engine.kill()
    await engines.engine.restart()


@pytest.mark.parametrize("ending", ["caught", "retried"])
async def test_a_branch_that_was_aborted_is_not_run_again(engines, calls, ending):
    """Its task had been scheduled and not answered when its sibling failed."""
    slow_bad = {
        "StartAt": "W",
        "States": {"W": WAIT | {"Seconds": 10, "Next": "B"}, "B": _task("bad")},
    }
    parallel = {
        "Type": "Parallel",
        "Branches": [_branch("H", _task("hold")), slow_bad],
        "Next": "Z",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Later"}],
    }
    if ending == "retried":
        parallel["Retry"] = [
            {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 3000, "MaxAttempts": 1}
        ]
    machine = {"StartAt": "P", "States": {"P": parallel, "Later": WAIT, "Z": END}}
    execution = await start(engines.call, machine, 1)
    await _until(engines.call, execution, "TaskStateAborted")
    await asyncio.sleep(0.1)
    before = [event["type"] for event in await _history(engines.call, execution)]
    for _ in range(2):
        await _restart(engines)
        await asyncio.sleep(0.1)
    assert sorted(map(str, calls)) == ["b'1'", "bad"]
    after = [event["type"] for event in await _history(engines.call, execution)]
    assert after[: len(before)] == before
    assert "LambdaFunctionScheduled" not in after[len(before) :]


async def test_what_was_drawn_by_chance_is_the_same_after_a_restart(inside, calls):
    inner = {
        "StartAt": "T",
        "States": {
            "T": _task("echo", Next="W"),
            "W": WAIT | {"Seconds": 30, "Next": "E"},
            "E": END,
        },
    }
    draw = {"key.$": "States.UUID()", "n.$": "States.MathRandom(0, 1000000)"}
    parallel = {"Type": "Parallel", "Parameters": draw, "Branches": [inner], "End": True}
    execution = await start(inside.call, _branch("P", parallel))
    await _until(inside.call, execution, "WaitStateEntered")
    await _restart(inside)
    found = await wait_for_end(inside.call, execution)
    assert json.loads(found["output"]) == [json.loads(calls[0])]
    assert len(calls) == 1


async def test_a_choice_by_chance_is_the_same_after_a_restart(inside):
    rules = [{"Condition": f"{{% $random() < {n / 8} %}}", "Next": f"S{n}"} for n in range(1, 8)]
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "C",
        "States": {
            "C": {"Type": "Choice", "Choices": rules, "Default": "S8"},
            **{f"S{n}": {"Type": "Pass", "Next": "W"} for n in range(1, 9)},
            "W": {"Type": "Wait", "Seconds": 30, "Next": "Z"},
            "Z": END,
        },
    }
    for number in range(4):
        made = {"name": f"m{number}", "definition": json.dumps(machine), "roleArn": ROLE}
        arn = (await inside.call("CreateStateMachine", made))["stateMachineArn"]
        started = await inside.call("StartExecution", {"stateMachineArn": arn})
        await _until(inside.call, started["executionArn"], "WaitStateEntered")
        await _restart(inside)
        assert (await wait_for_end(inside.call, started["executionArn"]))["status"] == "SUCCEEDED"


class Sleeps(SystemClock):
    """The clock on the wall, and until when it was asked to sleep."""

    def __init__(self):
        self.until_s = []

    async def sleep(self, seconds):
        self.until_s.append(self.wall_s() + seconds)
        await super().sleep(seconds)


async def test_the_jitter_of_a_retry_is_the_same_after_a_restart(tmp_path, functions):
    jitter = {"IntervalSeconds": 100_000, "JitterStrategy": "FULL"}
    retry = [{"ErrorEquals": ["States.ALL"], **jitter}]
    clock = Sleeps()
    async with open_engine("inprocess", tmp_path, functions, clock=clock) as engine:
        await start(engine.call, _branch("T", _task("bad", Retry=retry)))
        for restarts in range(3):
            async with asyncio.timeout(10):
                while len(clock.until_s) == restarts:
                    await asyncio.sleep(0.005)
            await _restart(engine)
        until_s = clock.until_s[:3]
    assert max(until_s) - min(until_s) < 0.1
    assert 0 < until_s[0] - clock.wall_s() < 1000


async def test_items_and_moments_by_chance_are_the_same_after_a_restart(inside, calls):
    moment = {
        "Type": "Wait",
        "Timestamp": "{% $fromMillis($millis() + 100000) %}",
        "End": True,
    }
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map",
                "Items": "{% [1..$floor(2 + $random() * 30)] %}",
                "ItemProcessor": _branch("W", moment),
                "End": True,
            }
        },
    }
    execution = await start(inside.call, machine)
    await _until(inside.call, execution, "WaitStateEntered")
    for _ in range(3):
        await asyncio.sleep(0.25)
        await _restart(inside)
    found = await wait_for_end(inside.call, execution)
    assert found["status"] == "SUCCEEDED"
    events = await _history(inside.call, execution)
    length = next(e["mapStateStartedEventDetails"]["length"] for e in events if e["type"] == "MapStateStarted")  # fmt: skip
    assert [event["type"] for event in events].count("MapIterationStarted") == length


async def test_a_function_may_answer_its_own_task_before_it_returns(tmp_path):
    told = []

    async def answers(payload):
        token = json.loads(payload)["token"]
        request = {"taskToken": token, "output": '"early"'}
        told.append(await engine.call("SendTaskSuccess", request))
        return b"{}"

    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "answers", "Payload": {"token.$": "$$.Task.Token"}},
        "TimeoutSeconds": 1000,
        "Next": "W",
    }
    machine = {"StartAt": "T", "States": {"T": state, "W": WAIT | {"Seconds": 20}, "Z": END}}
    async with open_engine("embedded", tmp_path, {"answers": answers}) as engine:
        execution = await start(engine.call, machine)
        await _until(engine.call, execution, "WaitStateEntered")
        await _restart(engine)
        found = await wait_for_end(engine.call, execution)
    assert (found["status"], found["output"], told) == ("SUCCEEDED", '"early"', [{}])


async def test_a_worker_that_has_gone_gets_no_task(tmp_path, functions):
    async with open_engine("embedded", tmp_path, functions) as engine:
        activity = (await engine.call("CreateActivity", {"name": "a"}))["activityArn"]
        headers = {"X-Amz-Target": "AWSStepFunctions.GetActivityTask"}
        async with aiohttp.ClientSession() as session:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await session.post(
                        engine.engine.endpoint, json={"activityArn": activity}, headers=headers
                    )
        execution = await start(
            engine.call, _branch("A", {"Type": "Task", "Resource": activity, "End": True})
        )
        async with asyncio.timeout(10):
            task = await engine.call("GetActivityTask", {"activityArn": activity})
        started = [event["type"] for event in await _history(engine.call, execution)]
        assert started.count("ActivityStarted") == 1  # durable before the token was handed out
        await engine.call("SendTaskSuccess", {"taskToken": task["taskToken"], "output": "1"})
        assert (await wait_for_end(engine.call, execution))["status"] == "SUCCEEDED"


async def test_a_fault_of_the_engine_fails_the_execution_and_leaves_nothing_running(
    tmp_path, functions, monkeypatch, caplog
):
    async def broken(entered):
        raise ZeroDivisionError("a bug")

    monkeypatch.setitem(states.HANDLERS, "Pass", broken)
    async with open_engine("inprocess", tmp_path, functions) as engine:
        execution = await start(engine.call, _branch("P", {"Type": "Pass", "End": True}))
        found = await wait_for_end(engine.call, execution)
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
    assert "ZeroDivisionError" in found["cause"]
    assert "a fault of the engine" in caplog.text


async def test_an_execution_keeps_a_definition_that_would_be_refused_today(
    tmp_path, functions, calls
):
    machine = {"StartAt": "W", "States": {"W": WAIT | {"Seconds": 30}, "Z": END}}
    async with open_engine("inprocess", tmp_path, functions) as engine:
        execution = await start(engine.call, machine)
        await _until(engine.call, execution, "WaitStateEntered")
        await engine.engine.kill()
        with sqlite3.connect(tmp_path / "history.sqlite") as history:
            refused = json.dumps(machine | {"Nonsense": 1})
            history.execute("UPDATE executions SET definition = ?", (refused,))
        history.close()
        await engine.engine.restart()
        assert (await wait_for_end(engine.call, execution))["status"] == "SUCCEEDED"


REFUSED = [
    ("ListExecutions", {"stateMachineArn": f"{STATES}stateMachine:m", "nextToken": "9" * 30}, "InvalidToken"),
    ("SendTaskHeartbeat", {"taskToken": "é"}, "InvalidToken"),
    ("TagResource", {"resourceArn": f"{STATES}stateMachine:m", "tags": [{"key": "k"}]}, "ValidationException"),
    ("TagResource", {"resourceArn": f"{STATES}stateMachine:none", "tags": []}, "ResourceNotFound"),
    ("DeleteStateMachine", {"stateMachineArn": "nonsense"}, "InvalidArn"),
    ("CreateStateMachine", {"name": "d", "definition": "[" * 50_000, "roleArn": "r"}, "InvalidDefinition"),
    ("DescribeExecution", [1], "ValidationException"),
    ("StartExecution", {}, "ValidationException"),
]  # fmt: skip


async def test_what_cannot_be_answered_is_refused_and_never_an_internal_error(tmp_path, functions):
    """Past boto3, which would refuse some of it by itself."""
    async with open_engine("embedded", tmp_path, functions) as engine:
        await start(engine.call, _branch("P", {"Type": "Pass", "End": True}))
        async with aiohttp.ClientSession() as session:
            for action, parameters, code in REFUSED:
                headers = {"X-Amz-Target": f"AWSStepFunctions.{action}"}
                answer = await session.post(
                    engine.engine.endpoint, json=parameters, headers=headers
                )
                found = await answer.json(content_type=None)
                assert (answer.status, found["__type"]) == (400, code), action
