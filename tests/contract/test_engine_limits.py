"""AWS's limits: events of a history, sizes of payloads, names; and Express starts that AWS may repeat."""

import json
from datetime import datetime, timedelta

import pytest

from orchestration.step_functions import Refused
from tests.contract.engines import LAMBDA, WAYS, open_engine, run_to_end, start

MOST = 262_144
BIG = "x" * (MOST - 100)
INVOKE = "arn:aws:states:::lambda:invoke"
PASS = {"Type": "Pass", "End": True}


@pytest.fixture
def calls():
    return []


@pytest.fixture
def functions(calls):
    async def echo(payload):
        calls.append(payload)
        return payload

    async def big(payload):
        return json.dumps("x" * MOST).encode()

    async def garbled(payload):
        return b"{half"

    return {"echo": echo, "big": big, "garbled": garbled}


def _task(name, **more):
    return {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": LAMBDA + name, "End": True, **more}}}  # fmt: skip


async def test_a_history_ends_with_its_25_000th_event(inside):
    count = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "More"}
    more = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.n", "NumericLessThan": 0, "Next": "Done"}],
        "Default": "Count",
    }
    definition = {
        "StartAt": "Count",
        "States": {"Count": count, "More": more, "Done": {"Type": "Succeed"}},
    }
    call, execution, found = await run_to_end(inside, definition, {"n": 0})
    cause = "The execution reached the maximum number of history events (25000)."
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "States.Runtime", cause)
    request = {"executionArn": execution, "reverseOrder": True, "maxResults": 2}
    last = (await call("GetExecutionHistory", request))["events"][0]
    assert (last["type"], last["id"], last["previousEventId"]) == (
        "ExecutionFailed",
        25_000,
        24_999,
    )
    assert found["redriveStatusReason"] == "Execution history event limit exceeded"


@pytest.mark.parametrize(
    ("definition", "cause"),
    [
        (_task("big"), f"The state/task '{LAMBDA}big' returned a result with a size"),
        (
            {"StartAt": "A", "States": {"A": PASS | {"Parameters": {"one.$": "$", "two.$": "$"}}}},
            "The state/task 'A' returned a result with a size",
        ),
        (
            _task("echo", Parameters={"one.$": "$", "two.$": "$"}),
            "The state/task 'A' provided parameters with a size",
        ),
    ],
    ids=["result", "output", "parameters"],
)
async def test_a_payload_over_256_kib_fails_the_execution(inside, calls, definition, cause):
    _, _, found = await run_to_end(inside, definition, BIG)
    assert (found["status"], found["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert found["cause"].startswith(cause)
    assert not calls


@pytest.mark.parametrize("invoke", [False, True], ids=["function", "invoke"])
async def test_an_answer_that_is_no_json_fails_the_task_however_it_is_invoked(engines, invoke):
    definition = _task("garbled")
    if invoke:
        more = {"Resource": INVOKE, "Parameters": {"FunctionName": LAMBDA + "garbled"}}
        definition = _task("garbled", **more)
    _, _, found = await run_to_end(engines, definition, {})
    assert (found["status"], found["error"]) == ("FAILED", "Lambda.Unknown")
    assert found["cause"].startswith("The function's answer is not JSON: ")


async def test_a_payload_of_256_kib_passes(engines):
    _, _, found = await run_to_end(engines, _task("echo"), BIG)
    assert json.loads(found["output"]) == BIG


@pytest.mark.parametrize("name", ["States.ALL", "States.DataLimitExceeded"])
async def test_a_result_that_is_too_big_is_caught_and_not_retried_by_states_all(inside, name):
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}]
    definition = _task("big", Retry=retry, Catch=[{"ErrorEquals": [name], "Next": "B"}])
    definition["States"]["B"] = PASS | {"OutputPath": "$.Error"}
    call, execution, found = await run_to_end(inside, definition, {})
    assert (found["status"], found["output"]) == ("SUCCEEDED", '"States.DataLimitExceeded"')
    history = (await call("GetExecutionHistory", {"executionArn": execution}))["events"]
    assert [event["type"] for event in history].count("LambdaFunctionScheduled") == 1


async def test_a_start_that_breaks_a_limit_is_refused(engines):
    first = await start(engines.call, {"StartAt": "A", "States": {"A": PASS}})
    arn = first.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    for parameters, code in (
        ({"input": json.dumps("x" * MOST)}, "ValidationException"),
        ({"input": "{"}, "InvalidExecutionInput"),
        ({"name": "a b"}, "InvalidName"),
        ({"name": "x" * 81}, "InvalidName"),
    ):
        with pytest.raises(Refused) as refused:
            await engines.call("StartExecution", {"stateMachineArn": arn, **parameters})
        assert refused.value.code == code


async def test_a_task_for_an_activity_that_does_not_exist_fails_at_once(inside):
    activity = "arn:aws:states:us-east-1:000000000000:activity:none"
    definition = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": activity, "End": True}}}  # fmt: skip
    _, _, found = await run_to_end(inside, definition, {})
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
    assert found["cause"].endswith(f"The activity {activity} does not exist.")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("share", "times"), [(0.0, 1), (1.0, 2)])
async def test_an_express_start_may_be_carried_out_twice(
    tmp_path, functions, calls, way, share, times
):
    async with open_engine(way, tmp_path, functions, express_twice=share) as engine:
        await start(engine.call, _task("echo"), 1, kind="EXPRESS")
        sync = {"name": "s", "definition": json.dumps(_task("echo")), "roleArn": "arn:role", "type": "EXPRESS"}  # fmt: skip
        machine = (await engine.call("CreateStateMachine", sync))["stateMachineArn"]
        found = await engine.call("StartSyncExecution", {"stateMachineArn": machine, "input": "2"})
        assert found["output"] == "2"
        assert (calls.count(b"1"), calls.count(b"2")) == (times, 1)


@pytest.mark.slow
async def test_an_express_execution_ends_after_five_minutes(engines):
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1000, "End": True}}}
    made = {"name": "x", "definition": json.dumps(wait), "roleArn": "arn:role", "type": "EXPRESS"}
    machine = (await engines.call("CreateStateMachine", made))["stateMachineArn"]
    found = await engines.call("StartSyncExecution", {"stateMachineArn": machine})
    assert found["status"] == "TIMED_OUT"
    assert (found["stopDate"] - found["startDate"]) / (_second(found["startDate"])) >= 3


def _second(date):
    """One second, in whatever the difference of two dates is."""
    return timedelta(seconds=1) if isinstance(date, datetime) else 1.0
