"""RedriveExecution: an execution that did not succeed goes on at the states that it had not left."""

import asyncio
import json
from collections import Counter

import pytest

from kernel.errors import OutcomeUnknown
from orchestration.engine.history import Event
from orchestration.engine.redrive import standing
from orchestration.step_functions import Refused
from tests.contract.engines import LAMBDA, run_to_end, start, wait_for_end


def _task(name, **more):
    return {
        "Type": "Task",
        "Resource": LAMBDA + name,
        "ResultPath": f"$.{name}",
        **({"Next": more.pop("to")} if "to" in more else {"End": True}),
        **more,
    }


class Shaky:
    """A function that fails until it is mended, and counts its calls."""

    def __init__(self):
        self.mended, self.calls = False, Counter()

    def function(self, name, *, sound=False):
        async def run(payload):
            self.calls[name] += 1
            if sound or self.mended:
                return json.dumps(name).encode()
            raise OutcomeUnknown("not yet")

        return run


@pytest.fixture
def shaky():
    return Shaky()


@pytest.fixture
def functions(shaky):
    return {
        "good": shaky.function("good", sound=True),
        "bad": shaky.function("bad"),
        "last": shaky.function("last", sound=True),
    }


CHAIN = {
    "StartAt": "A",
    "States": {
        "A": _task("good", to="B"),
        "B": _task("bad", to="C", Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]),
        "C": _task("last"),
    },
}


async def test_a_failed_execution_goes_on_at_the_state_that_failed(engines, shaky):
    call, execution, found = await run_to_end(engines, CHAIN, {})
    assert (found["status"], found["redriveStatus"]) == ("FAILED", "REDRIVABLE")
    assert shaky.calls == {"good": 1, "bad": 2}
    shaky.mended = True
    await call("RedriveExecution", {"executionArn": execution})
    found = await wait_for_end(call, execution)
    assert found["status"] == "SUCCEEDED"
    assert json.loads(found["output"]) == {"good": "good", "bad": "bad", "last": "last"}
    assert (found["redriveCount"], "redriveDate" in found) == (1, True)
    assert shaky.calls == {"good": 1, "bad": 3, "last": 1}
    history = (await call("GetExecutionHistory", {"executionArn": execution}))["events"]
    types = [event["type"] for event in history]
    redriven = types.index("ExecutionRedriven")
    assert types[redriven - 1 : redriven + 2] == [
        "ExecutionFailed", "ExecutionRedriven", "LambdaFunctionScheduled",
    ]  # fmt: skip
    assert history[redriven]["executionRedrivenEventDetails"] == {"redriveCount": 1}
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))
    assert types.count("ExecutionFailed") == types.count("ExecutionSucceeded") == 1


async def test_retries_start_from_zero_at_every_redrive(inside, shaky):
    call, execution, _ = await run_to_end(inside, CHAIN, {})
    for times in (2, 3):
        await call("RedriveExecution", {"executionArn": execution})
        assert (await wait_for_end(call, execution))["status"] == "FAILED"
        assert shaky.calls["bad"] == 2 * times


async def test_a_redriven_execution_survives_the_death_of_the_engine(engines, shaky):
    slow = json.loads(json.dumps(CHAIN))
    slow["States"]["B"]["Next"] = "W"
    slow["States"]["W"] = {"Type": "Wait", "Seconds": 30, "Next": "C"}
    call, execution, _ = await run_to_end(engines, slow, {})
    shaky.mended = True
    await call("RedriveExecution", {"executionArn": execution})
    async with asyncio.timeout(20):
        while shaky.calls["bad"] < 3:
            await asyncio.sleep(0.005)
    await engines.engine.kill()
    await engines.engine.restart()
    found = await wait_for_end(call, execution)
    assert found["status"] == "SUCCEEDED"
    assert (shaky.calls["good"], shaky.calls["last"]) == (1, 1)
    assert shaky.calls["bad"] in (3, 4)  # 4: its answer was lost with the engine


async def test_only_the_branches_that_did_not_succeed_run_again(inside, shaky):
    slow_fail = {
        "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 5, "Next": "B"}, "B": _task("bad")},
    }
    definition = {
        "StartAt": "P",
        "States": {
            "P": {
                "Type": "Parallel",
                "Branches": [{"StartAt": "A", "States": {"A": _task("good")}}, slow_fail],
                "Next": "C",
            },
            "C": {"Type": "Task", "Resource": LAMBDA + "last", "ResultPath": None, "End": True},
        },
    }
    call, execution, found = await run_to_end(inside, definition, {})
    assert found["status"] == "FAILED"
    shaky.mended = True
    await call("RedriveExecution", {"executionArn": execution})
    found = await wait_for_end(call, execution)
    assert json.loads(found["output"]) == [{"good": "good"}, {"bad": "bad"}]
    assert shaky.calls == {"good": 1, "bad": 2, "last": 1}


async def test_only_the_iterations_that_did_not_succeed_run_again(inside, shaky):
    definition = {
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map",
                "MaxConcurrency": 1,
                "ItemProcessor": {
                    "StartAt": "Which",
                    "States": {
                        "Which": {
                            "Type": "Choice",
                            "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "B"}],
                            "Default": "A",
                        },
                        "A": {"Type": "Task", "Resource": LAMBDA + "good", "End": True},
                        "B": {"Type": "Task", "Resource": LAMBDA + "bad", "End": True},
                    },
                },
                "End": True,
            }
        },
    }
    call, execution, _ = await run_to_end(inside, definition, [1, 2, 3])
    assert shaky.calls == {"good": 1, "bad": 1}
    shaky.mended = True
    await call("RedriveExecution", {"executionArn": execution})
    found = await wait_for_end(call, execution)
    assert json.loads(found["output"]) == ["good", "bad", "good"]
    assert shaky.calls == {"good": 2, "bad": 2}


@pytest.mark.parametrize("how", ["Retry", "Catch"])
@pytest.mark.parametrize("kind", ["Parallel", "Map"])
async def test_branches_of_what_is_over_are_left_alone(inside, shaky, kind, how):
    """A Parallel or Map that was caught, or tried again, before a later state failed."""
    machine = {"StartAt": "Bad", "States": {"Bad": _task("bad")}}
    state = {"Type": kind, "Next": "Late", how: [{"ErrorEquals": ["States.ALL"]}]}
    state |= {"Branches": [machine]} if kind == "Parallel" else {"ItemProcessor": machine}
    if how == "Catch":
        state["Catch"][0]["Next"] = "Late"
    else:
        state["Retry"][0] |= {"IntervalSeconds": 1, "MaxAttempts": 1}
        state["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Late"}]
    definition = {
        "StartAt": "P",
        "States": {
            "P": state,
            "Late": {"Type": "Task", "Resource": LAMBDA + "bad", "Next": "C"},
            "C": {"Type": "Task", "Resource": LAMBDA + "last", "End": True},
        },
    }
    call, execution, found = await run_to_end(inside, definition, [{}])
    tried = 2 if how == "Retry" else 1
    assert (found["status"], shaky.calls["bad"]) == ("FAILED", tried + 1)
    shaky.mended = True
    await call("RedriveExecution", {"executionArn": execution})
    found = await wait_for_end(call, execution)
    assert found["status"] == "SUCCEEDED"
    assert (shaky.calls["bad"], shaky.calls["last"]) == (tried + 2, 1)


async def test_a_stopped_execution_goes_on_where_it_was(engines, shaky):
    shaky.mended = True
    definition = {
        "StartAt": "A",
        "States": {
            "A": _task("good", to="W"),
            "W": {"Type": "Wait", "Seconds": 30, "Next": "B"},
            "B": _task("last"),
        },
    }
    execution = await start(engines.call, definition, {})
    async with asyncio.timeout(20):
        while not shaky.calls["good"]:
            await asyncio.sleep(0.005)
    with pytest.raises(Refused, match="Execution is RUNNING and cannot be redriven"):
        await engines.call("RedriveExecution", {"executionArn": execution})
    await engines.call("StopExecution", {"executionArn": execution})
    await engines.call("RedriveExecution", {"executionArn": execution})
    found = await wait_for_end(engines.call, execution)
    assert (found["status"], found["redriveCount"]) == ("SUCCEEDED", 1)
    assert shaky.calls["last"] == 1


async def test_an_execution_that_timed_out_gets_its_time_again(engines, shaky):
    definition = {
        "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 3000, "Next": "A"}, "A": _task("good")},
        "TimeoutSeconds": 40,
    }
    call, execution, found = await run_to_end(engines, definition, {})
    assert found["status"] == "TIMED_OUT"
    await call("RedriveExecution", {"executionArn": execution})
    found = await call("DescribeExecution", {"executionArn": execution})
    assert (found["status"], "stopDate" in found) == ("RUNNING", False)
    await call("StopExecution", {"executionArn": execution, "error": "E"})
    found = await call("DescribeExecution", {"executionArn": execution})
    assert (found["status"], found["error"], found["redriveCount"]) == ("ABORTED", "E", 1)


async def test_what_succeeded_cannot_be_redriven(inside, shaky):
    shaky.mended = True
    call, execution, _ = await run_to_end(inside, CHAIN, {})
    with pytest.raises(Refused, match="Execution is SUCCEEDED and cannot be redriven") as refused:
        await call("RedriveExecution", {"executionArn": execution})
    assert refused.value.code == "ExecutionNotRedrivable"


async def test_a_redrive_that_is_repeated_with_its_token_happens_once(inside, shaky):
    call, execution, _ = await run_to_end(inside, CHAIN, {})
    request = {"executionArn": execution, "clientToken": "t"}
    first = await call("RedriveExecution", request)
    await wait_for_end(call, execution)
    assert await call("RedriveExecution", request) == first
    assert (await wait_for_end(call, execution))["redriveCount"] == 1


async def test_the_list_of_executions_can_be_narrowed_to_the_redriven(engines, shaky):
    call, execution, _ = await run_to_end(engines, CHAIN, {})
    await call("RedriveExecution", {"executionArn": execution})
    await wait_for_end(call, execution)
    machine = execution.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    await call("StartExecution", {"stateMachineArn": machine, "name": "other"})
    for wanted, names in (("REDRIVEN", ["e1"]), ("NOT_REDRIVEN", ["other"])):
        request = {"stateMachineArn": machine, "redriveFilter": wanted}
        listed = (await call("ListExecutions", request))["executions"]
        assert [e["name"] for e in listed] == names


def _events(*types, branch=""):
    return [Event(n, n - 1, kind, 0.0, {}, branch) for n, kind in enumerate(types, 1)]


@pytest.mark.parametrize(
    ("types", "kept"),
    [
        (["ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskFailed", "ExecutionFailed"], 2),
        (["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionTimedOut"], 3),
        (["ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapStateFailed", "ExecutionFailed"], 3),
        (["ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapStateSucceeded", "ExecutionFailed"], 2),
    ],
)  # fmt: skip
def test_what_failed_is_taken_out_of_what_is_replayed(types, kept):
    events = [*_events(*types), Event(9, 8, "ExecutionRedriven", 0.0, {})]
    found = [event.type for event in standing(events)[""]]
    assert found == [*types[:kept], "ExecutionRedriven"]
