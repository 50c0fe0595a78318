"""What every Step Functions endpoint must do: the engine in this process, and over HTTP through boto3."""

import asyncio

import pytest

from kernel.errors import ConnectionLost, OutcomeUnknown
from orchestration.step_functions import ROLE, Refused, StepFunctions
from tests.contract.engines import STATES, WAYS, open_engine

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


class Functions:
    """Lambda functions for tests, and a count of their calls."""

    def __init__(self):
        self.calls = []

    async def __call__(self, payload):
        self.calls.append(payload)
        return await getattr(self, payload.decode().strip('"'))()

    async def works(self):
        return b'{"ok":true}'

    async def fails(self):
        raise OutcomeUnknown("broken")

    async def drops(self):
        raise ConnectionLost("cut")

    async def hangs(self):
        await asyncio.sleep(30)
        return b"{}"

    async def recovers(self):
        if len(self.calls) < 3:
            raise OutcomeUnknown("not yet")
        return b'{"ok":true}'


@pytest.fixture(params=WAYS)
async def service(request, tmp_path):
    """(StepFunctions, functions, raw call, engine) at a time scale of 0.01."""
    functions = Functions()
    async with open_engine(request.param, tmp_path, {"f": functions}) as engine:
        yield StepFunctions(engine.call), functions, engine.call, engine.engine


def _task(**more):
    state = {"Type": "Task", "Resource": ARN + "f", "End": True, **more}
    states = {"A": state}
    if "Catch" in more:
        states["B"] = {"Type": "Pass", "Result": "caught", "End": True}
    return {"StartAt": "A", "States": states}


async def _run(functions, definition, document, name="e1"):
    arn = await functions.create(name="m", definition=definition)
    await functions.start(machine_arn=arn, name=name, document=document)
    execution = arn.replace(":stateMachine:", ":execution:") + f":{name}"
    async with asyncio.timeout(20):
        while (found := await functions.describe(execution))["status"] == "RUNNING":
            await asyncio.sleep(0.01)
    return found, await functions.history(execution)


def _types(history):
    return [event["type"] for event in history]


async def test_a_task_that_works_gives_its_answer(service):
    step_functions, *_ = service
    found, history = await _run(step_functions, _task(), "works")
    assert (found["status"], found["output"]) == ("SUCCEEDED", '{"ok":true}')
    assert _types(history) == [
        "ExecutionStarted", "TaskStateEntered", "LambdaFunctionScheduled", "LambdaFunctionStarted",
        "LambdaFunctionSucceeded", "TaskStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    assert [event["id"] for event in history] == [1, 2, 3, 4, 5, 6, 7]
    assert [event["previousEventId"] for event in history] == [0, 0, 2, 3, 4, 5, 6]
    scheduled = history[2]["lambdaFunctionScheduledEventDetails"]
    assert (scheduled["resource"], scheduled["input"]) == (ARN + "f", '"works"')


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("fails", "OutcomeUnknown"),
        ("drops", "Lambda.SdkClientException"),
        ("hangs", "States.Timeout"),
    ],
)
async def test_a_task_that_fails_fails_the_execution_with_its_error(service, behaviour, error):
    step_functions, *_ = service
    found, history = await _run(step_functions, _task(TimeoutSeconds=20), behaviour)
    assert (found["status"], found["error"]) == ("FAILED", error)
    assert _types(history)[-1] == "ExecutionFailed"
    assert history[-1]["executionFailedEventDetails"]["error"] == error


async def test_retry_comes_before_catch_and_the_error_is_where_the_catcher_puts_it(service):
    step_functions, functions, *_ = service
    definition = _task(
        Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}],
        Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "B"}],
        Parameters={"x": 1},
    )
    definition["States"]["A"]["Parameters"] = "fails"
    definition["States"]["B"] = {"Type": "Pass", "End": True}
    found, history = await _run(step_functions, definition, {"order": 1})
    assert found["status"] == "SUCCEEDED"
    assert '"failure":{"Error":"OutcomeUnknown"' in found["output"]
    assert len(functions.calls) == 3
    assert _types(history).count("LambdaFunctionScheduled") == 3


async def test_a_task_that_recovers_within_its_retries_succeeds(service):
    step_functions, functions, *_ = service
    definition = _task(Retry=[{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1}])
    found, _ = await _run(step_functions, definition, "recovers")
    assert (found["status"], len(functions.calls)) == ("SUCCEEDED", 3)


async def test_a_fail_state_ends_with_its_own_error(service):
    step_functions, *_ = service
    definition = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E", "Cause": "c"}}}
    found, history = await _run(step_functions, definition, {})
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "E", "c")
    assert _types(history) == ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]


async def test_choice_wait_pass_and_succeed_leave_their_events(service):
    step_functions, *_ = service
    definition = {
        "StartAt": "C",
        "States": {
            "C": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.go", "BooleanEquals": True, "Next": "W"}],
            },
            "W": {"Type": "Wait", "Seconds": 1, "Next": "P"},
            "P": {"Type": "Pass", "Result": 7, "ResultPath": "$.seven", "Next": "S"},
            "S": {"Type": "Succeed"},
        },
    }
    found, history = await _run(step_functions, definition, {"go": True})
    assert found["output"] == '{"go":true,"seven":7}'
    assert _types(history)[1:-1] == [
        f"{kind}State{edge}" for kind in ("Choice", "Wait", "Pass", "Succeed") for edge in ("Entered", "Exited")
    ]  # fmt: skip


async def test_a_name_is_started_once(service):
    step_functions, functions, call, _ = service
    arn = await step_functions.create(name="m", definition=_task())
    parameters = {"stateMachineArn": arn, "name": "e1", "input": '"works"'}
    first = await call("StartExecution", parameters)
    found, _ = await _run(step_functions, _task(), "works")
    assert found["executionArn"] == first["executionArn"]
    assert len(functions.calls) == 1
    with pytest.raises(Refused) as raised:
        await call("StartExecution", parameters | {"input": '"fails"'})
    assert raised.value.code == "ExecutionAlreadyExists"


async def test_a_running_execution_may_be_started_again_with_the_same_input(service):
    step_functions, _, call, _ = service
    arn = await step_functions.create(name="m", definition=_task())
    parameters = {"stateMachineArn": arn, "name": "e1", "input": '"hangs"'}
    first, second = [await call("StartExecution", parameters) for _ in range(2)]
    assert first == second
    with pytest.raises(Refused) as raised:
        await call("StartExecution", parameters | {"input": '"works"'})
    assert raised.value.code == "ExecutionAlreadyExists"


async def test_a_stopped_execution_is_aborted_and_stays_so(service):
    step_functions, _, call, _ = service
    arn = await step_functions.create(name="m", definition=_task())
    started = await call(
        "StartExecution", {"stateMachineArn": arn, "name": "e1", "input": '"hangs"'}
    )
    execution = started["executionArn"]
    await asyncio.sleep(0.1)
    await call("StopExecution", {"executionArn": execution, "error": "E", "cause": "enough"})
    found = await step_functions.describe(execution)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "E", "enough")
    assert _types(await step_functions.history(execution))[-1] == "ExecutionAborted"


async def test_a_history_is_read_in_pages_and_backwards(service):
    step_functions, _, call, _ = service
    found, history = await _run(step_functions, _task(), "works")
    ids, parameters = (
        [],
        {"executionArn": found["executionArn"], "maxResults": 3, "reverseOrder": True},
    )
    while True:
        page = await call("GetExecutionHistory", parameters)
        ids += [event["id"] for event in page["events"]]
        if "nextToken" not in page:
            break
        parameters["nextToken"] = page["nextToken"]
    assert ids == [event["id"] for event in reversed(history)]


@pytest.mark.parametrize(
    ("action", "parameters", "code"),
    [
        (
            "CreateStateMachine",
            {"name": "m", "definition": "{}", "roleArn": "r" * 20},
            "InvalidDefinition",
        ),
        (
            "CreateStateMachine",
            {"name": "m /", "definition": "{}", "roleArn": "r" * 20},
            "InvalidName",
        ),
        (
            "StartExecution",
            {"stateMachineArn": f"{STATES}stateMachine:x"},
            "StateMachineDoesNotExist",
        ),
        ("DescribeExecution", {"executionArn": f"{STATES}execution:x:y"}, "ExecutionDoesNotExist"),
        ("StopExecution", {"executionArn": f"{STATES}execution:x:y"}, "ExecutionDoesNotExist"),
        (
            "GetExecutionHistory",
            {"executionArn": f"{STATES}execution:x:y"},
            "ExecutionDoesNotExist",
        ),
        ("RedriveExecution", {"executionArn": f"{STATES}execution:x:y"}, "ExecutionDoesNotExist"),
        ("DescribeExecution", {"executionArn": "x"}, "InvalidArn"),
        ("DescribeExecution", {"executionArn": f"{STATES}stateMachine:x"}, "InvalidArn"),
        ("TestState", {"definition": "{}", "roleArn": ROLE}, "UnknownOperationException"),
    ],
)
async def test_a_call_that_cannot_be_answered_carries_awss_error_code(
    service, action, parameters, code
):
    _, _, call, _ = service
    with pytest.raises(Refused) as raised:
        await call(action, parameters)
    assert raised.value.code == code


@pytest.mark.parametrize("text", ["{", "x" * 10])
async def test_an_input_that_is_no_json_is_refused(service, text):
    step_functions, _, call, _ = service
    arn = await step_functions.create(name="m", definition=_task())
    with pytest.raises(Refused) as raised:
        await call("StartExecution", {"stateMachineArn": arn, "name": "e", "input": text})
    assert raised.value.code == "InvalidExecutionInput"


async def test_a_machine_cannot_be_made_over_another_one(service):
    step_functions, *_ = service
    first = await step_functions.create(name="m", definition=_task())
    assert await step_functions.create(name="m", definition=_task()) == first
    with pytest.raises(Refused) as raised:
        await step_functions.create(name="m", definition=_task(TimeoutSeconds=9))
    assert raised.value.code == "StateMachineAlreadyExists"


@pytest.mark.slow
async def test_an_execution_that_waits_or_retries_goes_on_after_the_engine_is_killed(service):
    step_functions, functions, call, engine = service
    definition = _task(
        Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 20, "MaxAttempts": 3}]
    )
    definition["StartAt"] = "W"
    definition["States"]["W"] = {"Type": "Wait", "Seconds": 20, "Next": "A"}
    arn = await step_functions.create(name="m", definition=definition)
    started = await call(
        "StartExecution", {"stateMachineArn": arn, "name": "e", "input": '"recovers"'}
    )
    async with asyncio.timeout(30):
        for _ in range(4):
            await asyncio.sleep(0.12)
            await engine.kill()
            await engine.restart()
        while (found := await step_functions.describe(started["executionArn"]))[
            "status"
        ] == "RUNNING":
            await asyncio.sleep(0.02)
    history = await step_functions.history(started["executionArn"])
    assert found["status"] == "SUCCEEDED"
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))
    assert _types(history).count("LambdaFunctionFailed") == 2
    assert len(functions.calls) == 3


async def test_a_task_whose_answer_was_lost_with_the_engine_is_dispatched_again(service):
    step_functions, functions, call, engine = service
    arn = await step_functions.create(name="m", definition=_task(TimeoutSeconds=50))
    started = await call(
        "StartExecution", {"stateMachineArn": arn, "name": "e", "input": '"hangs"'}
    )
    await asyncio.sleep(0.1)
    await engine.kill()
    await engine.restart()
    await asyncio.sleep(0.1)
    assert functions.calls == [b'"hangs"', b'"hangs"']
    history = await step_functions.history(started["executionArn"])
    assert _types(history).count("LambdaFunctionScheduled") == 1
