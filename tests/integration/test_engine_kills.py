"""kill -9 of the engine's process at random moments under load: nothing is lost, nothing runs twice for nothing."""

import asyncio
import json
import random
import time
from bisect import bisect
from collections import defaultdict

import pytest

from kernel.child import free_port
from kernel.errors import Failure, OutcomeUnknown
from orchestration.engine_host import EngineProcess, running
from orchestration.step_functions import StepFunctions, boto3_call
from orchestration.tasks import serve_functions

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


def _task(step, **more):
    parameters = {"step": step, "execution.$": "$$.Execution.Name"}
    return {
        "Type": "Task",
        "Resource": FUNCTION,
        "Parameters": parameters,
        "ResultPath": "$.last",
        **more,
    }


RETRY = [
    {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 50, "MaxDelaySeconds": 2}
]
ITEM = {"step.$": "States.Format('item{}', $)", "execution.$": "$$.Execution.Name"}
PROCESSOR = {"StartAt": "T", "States": {"T": _task("", Parameters=ITEM, ResultPath="$", End=True)}}
DEFINITION = {
    "StartAt": "One",
    "States": {
        "One": _task("one", Next="Pause"),
        "Pause": {"Type": "Wait", "Seconds": 10, "Next": "Flaky"},
        "Flaky": _task("flaky", Retry=RETRY, Next="Both"),
        "Both": {
            "Type": "Parallel",
            "ResultPath": "$.both",
            "Branches": [
                {"StartAt": "L", "States": {"L": _task("left", End=True)}},
                {
                    "StartAt": "M",
                    "States": {
                        "M": {
                            "Type": "Map",
                            "ItemsPath": "$.items",
                            "ItemProcessor": PROCESSOR,
                            "End": True,
                        }
                    },
                },
            ],
            "Next": "Doomed",
        },
        "Doomed": {
            "Type": "Parallel",
            "ResultPath": None,
            "Branches": [
                {"StartAt": "H", "States": {"H": _task("held", End=True)}},
                {
                    "StartAt": "W",
                    "States": {
                        "W": {"Type": "Wait", "Seconds": 2, "Next": "F"},
                        "F": _task("fatal", End=True),
                    },
                },
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "Settle"}],
            "Next": "Settle",
        },
        "Settle": {"Type": "Wait", "Seconds": 10, "Next": "Last"},
        "Last": _task("last", End=True),
    },
}
STEPS = ("one", "left", "item1", "item2", "last")


class Functions:
    """Remembers in which life of the engine each step of each execution was called."""

    def __init__(self):
        self.lives = defaultdict(list)
        self.failed = defaultdict(int)
        self.life = 0
        self.began_s = [0.0]

    def new_life(self):
        """The engine is about to be started again."""
        self.life += 1
        self.began_s.append(time.time())

    async def __call__(self, payload):
        call = json.loads(payload)
        key = call["execution"], call["step"]
        self.lives[key].append(self.life)
        if call["step"] == "flaky" and self.failed[key] < 2:
            self.failed[key] += 1
            raise OutcomeUnknown("not yet")
        if call["step"] == "fatal":
            raise OutcomeUnknown("always")
        if call["step"] == "held":
            await asyncio.sleep(10)
        return json.dumps(call["step"]).encode()


async def _start(step_functions, arn, name):
    while True:
        try:
            await step_functions.start(machine_arn=arn, name=name, document={"items": [1, 2]})
        except Failure:
            await asyncio.sleep(0.05)
        else:
            return


async def _run_through(folder, *, kills, executions, seed):
    functions, chance = Functions(), random.Random(seed)
    async with serve_functions({"f": functions}, port=free_port()) as endpoint:
        engine = EngineProcess(
            folder, lambda_endpoint=endpoint, time_scale=0.02, durability="process"
        )
        async with running(engine), boto3_call(engine.endpoint) as call:
            step_functions = StepFunctions(call)
            arn = await step_functions.create(name="m", definition=DEFINITION)
            names = [f"e{n:04d}" for n in range(executions)]
            gap_s = kills * 0.6 / executions

            async def customer(position, name):
                await asyncio.sleep(position * gap_s)
                await _start(step_functions, arn, name)

            async with asyncio.TaskGroup() as group:
                for position, name in enumerate(names):
                    group.create_task(customer(position, name))
                for _ in range(kills):
                    await asyncio.sleep(chance.uniform(0.02, 0.25))
                    await engine.kill()
                    functions.new_life()
                    await engine.restart()
            prefix = arn.replace(":stateMachine:", ":execution:")
            async with asyncio.timeout(60):
                for name in names:
                    while (found := await step_functions.describe(f"{prefix}:{name}"))[
                        "status"
                    ] == "RUNNING":
                        await asyncio.sleep(0.05)
                    assert found["status"] == "SUCCEEDED", found
            histories = [await step_functions.history(f"{prefix}:{name}") for name in names]
    return functions, names, histories


def _assert_nothing_lost_or_repeated(functions, names, histories):
    for name in names:
        for step in STEPS:
            lives = functions.lives[name, step]
            assert lives, f"{name} never did {step}"
            assert len(lives) == len(set(lives)), (
                f"{name} did {step} twice in one life of the engine"
            )
        assert functions.failed[name, "flaky"] == 2
    for name, history in zip(names, histories, strict=True):
        assert [event["id"] for event in history] == list(range(1, len(history) + 1))
        scheduled = sum(event["type"] == "LambdaFunctionScheduled" for event in history)
        failed = sum(event["type"] == "LambdaFunctionFailed" for event in history)
        assert scheduled == len(STEPS) + len(("flaky", "held")) + failed
        for step, over_s in _over(history):
            last_life = bisect(functions.began_s, over_s) - 1
            late = [life for life in functions.lives[name, step] if life > last_life]
            assert not late, (
                f"{name} did {step} in life {late} although its outcome was durable in {last_life}"
            )


def _over(history):
    """(step, when it was durable that it would not be done again) of every task of an execution."""
    tasks, failed_s = {}, {}
    for event in history:
        kind, about = event["type"], event["previousEventId"]
        if kind == "LambdaFunctionScheduled":
            details = event["lambdaFunctionScheduledEventDetails"]
            tasks[event["id"]] = json.loads(details["input"])["step"]
        elif kind == "LambdaFunctionStarted":
            tasks[event["id"]] = tasks[about]
        elif kind == "LambdaFunctionSucceeded":
            yield tasks[about], event["timestamp"]
        elif kind == "ParallelStateFailed":
            failed_s["at"] = event["timestamp"]
    yield "held", failed_s["at"]
    yield "fatal", failed_s["at"]


@pytest.mark.slow
@pytest.mark.timeout(90)
async def test_executions_survive_kills_of_the_engine(tmp_path):
    _assert_nothing_lost_or_repeated(*await _run_through(tmp_path, kills=8, executions=40, seed=1))


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_executions_survive_a_hundred_kills_of_the_engine(tmp_path):
    _assert_nothing_lost_or_repeated(
        *await _run_through(tmp_path, kills=100, executions=600, seed=2)
    )
