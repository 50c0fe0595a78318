"""Map, Parallel, callbacks, activities, variables and Express, through either way to reach the engine."""

import asyncio
import json

import pytest

from kernel.errors import OutcomeUnknown
from orchestration.step_functions import Refused
from tests.contract.engines import WAYS, open_engine, start, wait_for_end

INVOKE = "arn:aws:states:::lambda:invoke"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
ROLE = "arn:aws:iam::000000000000:role/test"


class Functions:
    """Answers its payload; remembers payloads, and task tokens in them; holds calls back on demand."""

    def __init__(self):
        self.calls, self.tokens, self.gate = [], [], asyncio.Event()
        self.gate.set()

    async def __call__(self, payload):
        value = json.loads(payload)
        self.calls.append(value)
        if isinstance(value, dict) and "token" in value:
            self.tokens.append(value["token"])
        await self.gate.wait()
        if value == "fail":
            raise OutcomeUnknown("told to")
        return payload


@pytest.fixture(params=WAYS)
async def aws(request, tmp_path):
    """(call, functions, engine) at a time scale of 0.01."""
    functions = Functions()
    async with open_engine(request.param, tmp_path, {"f": functions}) as engine:
        yield engine.call, functions, engine.engine


def _machine(**states):
    first = next(iter(states))
    return {"StartAt": first, "States": states}


async def _end(call, execution):
    found = await wait_for_end(call, execution)
    history = await call("GetExecutionHistory", {"executionArn": execution, "maxResults": 1000})
    ids = [event["id"] for event in history["events"]]
    assert ids == list(range(1, len(ids) + 1))
    assert all(event["previousEventId"] < event["id"] for event in history["events"])
    return found, [event["type"] for event in history["events"]]


def _map(state, **more):
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, **_machine(In=state)}
    return _machine(M={"Type": "Map", "ItemProcessor": processor, "End": True, **more})


TASK = {"Type": "Task", "Resource": FUNCTION, "End": True}


async def test_a_map_gives_every_item_to_its_processor_and_keeps_their_order(aws):
    call, functions, _ = aws
    selector = {"item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "all.$": "$.items"}
    definition = _map(TASK, ItemsPath="$.items", ItemSelector=selector, MaxConcurrency=2)
    found, types = await _end(call, await start(call, definition, {"items": ["a", "b", "c"]}))
    assert json.loads(found["output"]) == [
        {"item": item, "at": at, "all": ["a", "b", "c"]} for at, item in enumerate("abc")
    ]
    assert types.count("MapIterationSucceeded") == len(functions.calls) == 3


async def test_a_map_runs_no_more_at_once_than_it_may(aws):
    call, functions, _ = aws
    functions.gate.clear()
    execution = await start(call, _map(TASK, MaxConcurrency=2), [1, 2, 3, 4, 5])
    async with asyncio.timeout(10):
        while len(functions.calls) < 2:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    assert len(functions.calls) == 2
    functions.gate.set()
    found, _ = await _end(call, execution)
    assert json.loads(found["output"]) == [1, 2, 3, 4, 5]


async def test_one_failed_iteration_fails_the_map_and_may_be_caught(aws):
    call, *_ = aws
    definition = _map(
        TASK,
        MaxConcurrency=1,
        Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$", "Next": "C"}],
    )
    definition["States"]["C"] = {"Type": "Pass", "End": True}
    found, types = await _end(call, await start(call, definition, ["ok", "fail", "never"]))
    assert json.loads(found["output"])["Error"] == "OutcomeUnknown"
    assert types[-6:-1] == [
        "MapIterationFailed",
        "MapStateFailed",
        "MapStateExited",
        "PassStateEntered",
        "PassStateExited",
    ]


async def test_a_parallel_joins_its_branches_in_order_and_hands_each_the_input(aws):
    call, *_ = aws
    branches = [
        _machine(A=TASK),
        _machine(
            B={"Type": "Wait", "Seconds": 1, "Next": "B2"},
            B2={"Type": "Pass", "Result": 2, "End": True},
        ),
    ]
    found, types = await _end(
        call,
        await start(
            call, _machine(P={"Type": "Parallel", "Branches": branches, "End": True}), {"x": 1}
        ),
    )
    assert json.loads(found["output"]) == [{"x": 1}, 2]
    assert types[-3:] == ["ParallelStateSucceeded", "ParallelStateExited", "ExecutionSucceeded"]


async def test_a_failing_branch_ends_the_others_and_is_retried_as_a_whole(aws):
    call, functions, _ = aws
    branches = [
        _machine(A=TASK | {"Parameters": "fail"}),
        _machine(B={"Type": "Wait", "Seconds": 5000, "End": True}),
    ]
    parallel = {
        "Type": "Parallel",
        "Branches": branches,
        "End": True,
        "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}],
    }
    found, types = await _end(call, await start(call, _machine(P=parallel)))
    assert (found["status"], found["error"]) == ("FAILED", "OutcomeUnknown")
    assert types.count("ParallelStateStarted") == len(functions.calls) == 3


async def test_variables_are_seen_by_later_states_and_inside_but_not_outside(aws):
    call, *_ = aws
    inner = {"Type": "Pass", "Assign": {"x": "inner"}, "Parameters": {"seen.$": "$x"}, "End": True}
    definition = _map(inner)
    definition["States"]["M"] |= {"Next": "After"}
    del definition["States"]["M"]["End"]
    definition["StartAt"] = "Before"
    definition["States"]["Before"] = {"Type": "Pass", "Assign": {"x.$": "$[0]"}, "Next": "M"}
    definition["States"]["After"] = {
        "Type": "Pass",
        "Parameters": {"x.$": "$x", "all.$": "$"},
        "End": True,
    }
    found, _ = await _end(call, await start(call, definition, ["outer"]))
    assert json.loads(found["output"]) == {"x": "outer", "all": [{"seen": "outer"}]}


async def test_jsonata_states_compute_arguments_output_and_conditions(aws):
    call, *_ = aws
    definition = _machine(
        T={**TASK, "Arguments": {"double": "{% $states.input.n * 2 %}"}, "Assign": {"d": "{% $states.result.double %}"}, "Next": "C"},
        C={"Type": "Choice", "Choices": [{"Condition": "{% $d > 5 %}", "Next": "S"}], "Default": "F"},
        S={"Type": "Succeed", "Output": {"d": "{% $d %}"}},
        F={"Type": "Fail"},
    )  # fmt: skip
    del definition["States"]["T"]["End"]
    definition["QueryLanguage"] = "JSONata"
    found, _ = await _end(call, await start(call, definition, {"n": 3}))
    assert json.loads(found["output"]) == {"d": 6}


CALLBACK = {
    "Type": "Task",
    "Resource": f"{INVOKE}.waitForTaskToken",
    "Parameters": {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}},
    "End": True,
}


async def _token(functions):
    async with asyncio.timeout(10):
        while not functions.tokens:
            await asyncio.sleep(0.01)
    return functions.tokens[-1]


async def test_a_task_waits_for_whoever_holds_its_token(aws):
    call, functions, _ = aws
    execution = await start(call, _machine(T=CALLBACK))
    token = await _token(functions)
    await call("SendTaskHeartbeat", {"taskToken": token})
    await call("SendTaskSuccess", {"taskToken": token, "output": '{"done":1}'})
    found, types = await _end(call, execution)
    assert found["output"] == '{"done":1}'
    assert types[3:6] == ["TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    with pytest.raises(Refused) as raised:
        await call("SendTaskSuccess", {"taskToken": token, "output": "1"})
    assert raised.value.code == "TaskTimedOut"


async def test_a_holder_of_a_token_may_fail_the_task_and_a_forged_token_is_refused(aws):
    call, functions, _ = aws
    execution = await start(call, _machine(T=CALLBACK))
    token = await _token(functions)
    with pytest.raises(Refused) as raised:
        await call("SendTaskFailure", {"taskToken": token[:-6] + "AAAAAA"})
    assert raised.value.code == "InvalidToken"
    await call("SendTaskFailure", {"taskToken": token, "error": "No", "cause": "busy"})
    found, _ = await _end(call, execution)
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "No", "busy")


async def test_a_task_without_heartbeats_times_out(aws):
    call, *_ = aws
    execution = await start(call, _machine(T=CALLBACK | {"HeartbeatSeconds": 20}))
    found, types = await _end(call, execution)
    assert (found["error"], types[-2]) == ("States.Timeout", "TaskTimedOut")


@pytest.mark.parametrize(
    ("limits", "name", "status"),
    [
        ({"HeartbeatSeconds": 20, "TimeoutSeconds": 3000}, "States.HeartbeatTimeout", "SUCCEEDED"),
        ({"HeartbeatSeconds": 20}, "States.Timeout", "SUCCEEDED"),
        ({"TimeoutSeconds": 20}, "States.HeartbeatTimeout", "FAILED"),
    ],
)
async def test_a_lost_heartbeat_is_caught_by_either_name(aws, limits, name, status):
    call, *_ = aws
    states = {"T": CALLBACK | limits | {"Catch": [{"ErrorEquals": [name], "Next": "C"}]}}
    states["C"] = {"Type": "Pass", "End": True}
    found, _ = await _end(call, await start(call, _machine(**states)))
    assert found["status"] == status
    if status == "SUCCEEDED":
        assert json.loads(found["output"]) == {"Error": "States.Timeout", "Cause": ""}


async def test_a_lost_heartbeat_is_still_one_after_the_engine_was_killed(aws):
    call, _, engine = aws
    retry = [{"ErrorEquals": ["States.HeartbeatTimeout"], "IntervalSeconds": 100, "MaxAttempts": 1}]
    execution = await start(call, _machine(T=CALLBACK | {"HeartbeatSeconds": 20, "Retry": retry}))
    async with asyncio.timeout(10):
        while "TaskTimedOut" not in await _types(call, execution):
            await asyncio.sleep(0.01)
    await engine.kill()
    await engine.restart()
    found, types = await _end(call, execution)
    assert (found["error"], types.count("TaskTimedOut")) == ("States.Timeout", 2)


async def _types(call, execution):
    history = await call("GetExecutionHistory", {"executionArn": execution})
    return [event["type"] for event in history["events"]]


async def test_an_activitys_worker_takes_a_task_and_answers_it(aws):
    call, *_ = aws
    arn = (await call("CreateActivity", {"name": "a"}))["activityArn"]
    polling = asyncio.create_task(call("GetActivityTask", {"activityArn": arn, "workerName": "w"}))
    execution = await start(
        call, _machine(T={"Type": "Task", "Resource": arn, "End": True}), {"x": 1}
    )
    async with asyncio.timeout(10):
        task = await polling
    assert json.loads(task["input"]) == {"x": 1}
    await call("SendTaskSuccess", {"taskToken": task["taskToken"], "output": "2"})
    found, types = await _end(call, execution)
    assert found["output"] == "2"
    assert types[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]


@pytest.mark.slow
async def test_tokens_tasks_and_iterations_survive_the_death_of_the_engine(aws):
    call, functions, engine = aws
    definition = _machine(
        P={
            "Type": "Parallel",
            "End": True,
            "Branches": [
                _machine(T=CALLBACK),
                _map(TASK, ItemsPath="$.items", MaxConcurrency=1),
                _machine(W={"Type": "Wait", "Seconds": 60, "End": True}),
            ],
        }
    )
    execution = await start(call, definition, {"items": [1, 2, 3]})
    token = await _token(functions)
    for _ in range(3):
        await asyncio.sleep(0.1)
        await engine.kill()
        await engine.restart()
    async with asyncio.timeout(10):
        while True:
            try:
                await call("SendTaskSuccess", {"taskToken": token, "output": '"t"'})
            except Refused:
                await asyncio.sleep(0.05)  # the execution is not back where it waits yet
            else:
                break
    found, types = await _end(call, execution)
    assert json.loads(found["output"]) == ["t", [1, 2, 3], {"items": [1, 2, 3]}]
    assert types.count("MapIterationStarted") == 3
    assert types.count("LambdaFunctionScheduled") == 3


async def test_an_execution_past_its_own_deadline_times_out(aws):
    call, *_ = aws
    definition = _machine(W={"Type": "Wait", "Seconds": 5000, "End": True}) | {"TimeoutSeconds": 10}
    found, types = await _end(call, await start(call, definition))
    assert (found["status"], types[-1]) == ("TIMED_OUT", "ExecutionTimedOut")


async def test_an_express_execution_answers_at_once_and_leaves_no_history(aws):
    call, *_ = aws
    made = {
        "name": "x",
        "definition": json.dumps(_machine(T=TASK)),
        "roleArn": ROLE,
        "type": "EXPRESS",
    }
    arn = (await call("CreateStateMachine", made))["stateMachineArn"]
    found = await call("StartSyncExecution", {"stateMachineArn": arn, "input": '{"x":1}'})
    assert (found["status"], found["output"]) == ("SUCCEEDED", '{"x":1}')
    started = await call("StartExecution", {"stateMachineArn": arn, "input": "{}"})
    with pytest.raises(Refused) as raised:
        await call("DescribeExecution", {"executionArn": started["executionArn"]})
    assert raised.value.code == "InvalidArn"


async def test_machines_executions_activities_and_tags_are_listed_in_pages(aws):
    call, *_ = aws
    tags = [{"key": "team", "value": "sagas"}]
    made = {"name": "m", "definition": json.dumps(_machine(T=TASK)), "roleArn": ROLE, "tags": tags}
    arn = (await call("CreateStateMachine", made))["stateMachineArn"]
    for n in range(5):
        started = await call(
            "StartExecution", {"stateMachineArn": arn, "name": f"e{n}", "input": "1"}
        )
        await _end(call, started["executionArn"])
    names, page = [], {}
    while True:
        page = await call(
            "ListExecutions",
            {"stateMachineArn": arn, "maxResults": 2, "statusFilter": "SUCCEEDED"} | page,
        )
        names += [row["name"] for row in page["executions"]]
        if "nextToken" not in page:
            break
        page = {"nextToken": page["nextToken"]}
    assert sorted(names) == [f"e{n}" for n in range(5)]
    assert (await call("ListTagsForResource", {"resourceArn": arn}))["tags"] == tags
    assert [m["name"] for m in (await call("ListStateMachines", {}))["stateMachines"]] == ["m"]
    await call("DeleteStateMachine", {"stateMachineArn": arn})
    assert (await call("ListStateMachines", {}))["stateMachines"] == []
