"""What clients of the API meet besides executions: hosts, unknown fields, limits, lists that are always empty, one engine for a folder."""

import asyncio
import json
import subprocess
import sys

import aiohttp
import pytest

from kernel.child import free_port
from kernel.clock import SystemClock
from kernel.errors import UsageError
from kernel.participants import open_participant
from orchestration.engine.limits import MAX_CAUSE, MAX_ERROR
from orchestration.engine.service import StepFunctionsEngine
from orchestration.step_functions import ROLE, Refused
from tests.contract.engines import LAMBDA, STATES, WAYS, open_engine, run_to_end, start
from tests.samples import environment

WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


@pytest.fixture(params=WAYS)
async def engine(request, tmp_path):
    async with open_engine(request.param, tmp_path, {"echo": _echo}) as running:
        yield running


async def _echo(payload):
    return payload


def _invoke(**parameters):
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": f"{LAMBDA}echo", **parameters},
        "End": True,
    }
    return {"StartAt": "T", "States": {"T": state}}


async def test_versions_and_aliases_are_lists_without_anything_in_them(engine):
    made = {"name": "m", "definition": json.dumps(PASS), "roleArn": ROLE}
    arn = (await engine.call("CreateStateMachine", made))["stateMachineArn"]
    of = {"stateMachineArn": arn}
    assert (await engine.call("ListStateMachineVersions", of))["stateMachineVersions"] == []
    assert (await engine.call("ListStateMachineAliases", of))["stateMachineAliases"] == []
    missing = {"stateMachineArn": f"{STATES}stateMachine:no"}
    with pytest.raises(Refused, match="StateMachineDoesNotExist"):
        await engine.call("ListStateMachineVersions", missing)


async def test_what_aws_would_honour_and_this_engine_does_not_is_refused(engine):
    made = {"name": "m", "definition": json.dumps(PASS), "roleArn": ROLE, "publish": True}
    with pytest.raises(Refused, match="'publish': True is not supported"):
        await engine.call("CreateStateMachine", made)
    execution = await start(engine.call, PASS)
    asked = {"executionArn": execution, "includedData": "METADATA_ONLY"}
    with pytest.raises(Refused, match="includedData"):
        await engine.call("DescribeExecution", asked)


async def test_express_executions_are_not_listed(engine):
    made = {"name": "x", "definition": json.dumps(PASS), "roleArn": ROLE, "type": "EXPRESS"}
    arn = (await engine.call("CreateStateMachine", made))["stateMachineArn"]
    with pytest.raises(Refused, match="StateMachineTypeNotSupported"):
        await engine.call("ListExecutions", {"stateMachineArn": arn})


async def test_error_and_cause_have_the_lengths_that_aws_keeps(engine):
    fail = {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$.c"}
    document = {"e": "E" * 300, "c": "c" * 40_000}
    call, execution, found = await run_to_end(
        engine, {"StartAt": "F", "States": {"F": fail}}, document
    )
    assert (len(found["error"]), len(found["cause"])) == (MAX_ERROR, MAX_CAUSE)
    history = await call("GetExecutionHistory", {"executionArn": execution})
    details = history["events"][-1]["executionFailedEventDetails"]
    assert (len(details["error"]), len(details["cause"])) == (MAX_ERROR, MAX_CAUSE)


async def test_an_event_is_handed_over_and_not_waited_for(tmp_path):
    came, done = asyncio.Event(), asyncio.Event()

    async def slow(payload):
        came.set()
        await asyncio.sleep(0.5)
        done.set()
        return payload

    async with open_engine("inprocess", tmp_path, {"echo": slow}) as engine:
        definition = _invoke(InvocationType="Event", Payload={"a": 1})
        _, _, found = await run_to_end(engine, definition, {})
        output = json.loads(found["output"])
        assert (output["StatusCode"], output["Payload"]) == (202, "")
        assert "ExecutedVersion" not in output
        assert not done.is_set()
        await asyncio.wait_for(came.wait(), 5)
        await asyncio.wait_for(done.wait(), 5)


async def test_a_request_that_is_answered_is_waited_for(engine):
    definition = _invoke(InvocationType="RequestResponse", Payload={"a": 1})
    _, _, found = await run_to_end(engine, definition, {})
    output = json.loads(found["output"])
    assert (output["StatusCode"], output["Payload"]) == (200, {"a": 1})


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"InvocationType": "DryRun"}, "InvocationType 'DryRun' is not supported"),
        ({"ClientContext": "x"}, "The field 'ClientContext' is not supported by lambda:invoke"),
        ({"Pyload": {}}, "The field 'Pyload' is not supported by lambda:invoke"),
    ],
)
async def test_what_an_invocation_would_swallow_is_refused_at_creation(engine, parameters, named):
    made = {"name": "m", "definition": json.dumps(_invoke(**parameters)), "roleArn": ROLE}
    with pytest.raises(Refused, match="InvalidDefinition") as refused:
        await engine.call("CreateStateMachine", made)
    assert named in str(refused.value)


async def test_another_service_is_refused_by_its_name(engine):
    topic = {"Type": "Task", "Resource": "arn:aws:states:::sns:publishBatch", "End": True}
    made = {"name": "m", "definition": json.dumps({"StartAt": "T", "States": {"T": topic}}), "roleArn": ROLE}  # fmt: skip
    with pytest.raises(Refused) as refused:
        await engine.call("CreateStateMachine", made)
    assert "Resource is not supported: 'arn:aws:states:::sns:publishBatch'. Use" in str(
        refused.value
    )


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost", 200),
        ("sync-localhost", 200),
        ("sync-127.0.0.1:8083", 200),
        ("127.0.0.1:8083", 200),
        ("[::1]:8083", 200),
    ],
)
async def test_only_names_of_this_machine_are_served(tmp_path, host, status):
    async with open_engine("embedded", tmp_path, {}) as engine, aiohttp.ClientSession() as client:
        headers = {"Host": host, "X-Amz-Target": "AWSStepFunctions.ListStateMachines"}
        # What AWS does not know it ignores.
        body = json.dumps({"unheardOf": 1})
        async with client.post(engine.engine.endpoint, data=body, headers=headers) as answer:
            assert answer.status == status


async def test_a_folder_has_one_engine(tmp_path):
    async with open_engine("embedded", tmp_path, {}):
        arguments = ["engine", "--port", free_port(), "--data", tmp_path, "--lambda-endpoint", "http://127.0.0.1:1"]  # fmt: skip
        command = [sys.executable, "-m", "orchestration", *map(str, arguments)]
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=30
        )
    assert done.returncode == 2
    assert done.stderr == (
        f"error: another engine works on {tmp_path}: give each its own folder, or end the other one\n"
    )


async def test_an_engine_that_was_killed_leaves_its_folder_to_the_next(tmp_path):
    async with open_engine("embedded", tmp_path, {}) as engine:
        await engine.engine.kill()
        await engine.engine.restart()
        assert await engine.call("ListStateMachines", {}) is not None


async def test_a_database_has_one_participant(tmp_path):
    path = tmp_path / "order.sqlite"
    async with open_participant("order", path, environment()):
        with pytest.raises(UsageError, match="another participant works on"):
            async with open_participant("order", path, environment()):
                pass
    async with open_participant("order", path, environment()):
        pass


async def test_an_execution_can_be_stopped_before_it_goes_on(tmp_path):
    """The engine answers before it resumes: whatever an execution does to it, somebody can stop that one."""

    async def nobody(function, payload):
        raise AssertionError(function)

    def opening():
        return StepFunctionsEngine.open(
            tmp_path, invoke=nobody, clock=SystemClock(), time_scale=1.0, durability="process"
        )

    async with open_engine("inprocess", tmp_path, {}, time_scale=1.0) as engine:
        execution = await start(engine.call, WAIT)
    async with opening() as engine:
        assert engine.row(execution) is None
        await engine.stop(await engine.history.execution(execution), error="Stopped", cause=None)
        await engine.resume()
        assert engine.row(execution) is None
        assert (await engine.history.execution(execution))["status"] == "ABORTED"
