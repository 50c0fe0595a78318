"""Contenders to reach a Step Functions engine with four Lambda-style tasks per execution, and one client's work."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from bench.echo_function import FUNCTION, echo, echo_function
from bench.peers.moto_server import make_function, moto_server
from bench.trials import Trials
from kernel.clock import SystemClock
from orchestration.engine_host import EngineProcess, InProcessEngine, running
from orchestration.step_functions import ROLE, Call, boto3_call, direct_call
from orchestration.tasks import in_process_invoker

STEPS = ("A", "B", "C", "D")
FIRST_POLL_S, POLL_SHARE, LEARNING = 0.002, 0.2, 0.1
"""A client first asks when executions have lately been over by, and again after a fifth of the time that it has
waited: the same share of error for every engine, and few questions."""


@dataclass(frozen=True, slots=True)
class Reached:
    """An engine that is up: how to call it, and the ARN of the machine to run."""

    call: Call
    machine: str


@dataclass(slots=True)
class Measured(Trials):
    """What was measured of one contender. `seconds`: as the client saw it; `own_seconds`: as the service dates it."""

    own_seconds: list[float] = field(default_factory=list)
    expected_s: float = FIRST_POLL_S
    polls: int = 0

    def add(self, seconds: float, own_seconds: float) -> None:
        """One more execution."""
        self.seconds.append(seconds)
        self.own_seconds.append(own_seconds)
        learnt = (1 - LEARNING) * self.expected_s + LEARNING * own_seconds
        self.expected_s = max(FIRST_POLL_S, learnt)

    @property
    def own_p50_s(self) -> float:
        """The median of all executions from startDate to stopDate."""
        return statistics.median(self.own_seconds)


async def reached(call: Call, function: str = FUNCTION) -> Reached:
    """With a machine that is a chain of four tasks."""
    chain = zip(STEPS, [*STEPS[1:], None], strict=True)
    task = {"Type": "Task", "Resource": function}
    states = {n: task | ({"Next": after} if after else {"End": True}) for n, after in chain}
    definition = json.dumps({"StartAt": STEPS[0], "States": states})
    parameters = {"name": "m", "definition": definition, "roleArn": ROLE}
    return Reached(call, (await call("CreateStateMachine", parameters))["stateMachineArn"])


@asynccontextmanager
async def in_process(folder: Path) -> AsyncIterator[Reached]:
    """The embedded engine in this process, called directly; so is its function."""
    engine = InProcessEngine(
        folder,
        invoke=in_process_invoker({"echo": echo}),
        clock=SystemClock(),
        time_scale=1.0,
        durability="process",
    )
    async with running(engine):
        yield await reached(direct_call(engine.engine))


@asynccontextmanager
async def engine_process(folder: Path) -> AsyncIterator[EngineProcess]:
    """The embedded engine in its own process, with the function in another."""
    async with echo_function(folder) as functions:
        engine = EngineProcess(
            folder, lambda_endpoint=functions, time_scale=1.0, durability="process"
        )
        async with running(engine):
            yield engine


@asynccontextmanager
async def raw_call(endpoint: str) -> AsyncIterator[Call]:
    """A Call without boto3: a plain HTTP client."""
    async with aiohttp.ClientSession() as session:

        async def call(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
            headers = {"X-Amz-Target": f"AWSStepFunctions.{action}"}
            async with session.post(endpoint, json=parameters, headers=headers) as answer:
                found: dict[str, Any] = await answer.json(content_type=None)
                return found

        yield call


def over_http(
    client: Callable[[str], AbstractAsyncContextManager[Call]],
) -> Callable[[Path], AbstractAsyncContextManager[Reached]]:
    """The way to the engine's own process through a client."""

    @asynccontextmanager
    async def contender(folder: Path) -> AsyncIterator[Reached]:
        async with engine_process(folder) as engine, client(engine.endpoint) as call:
            yield await reached(call)

    return contender


@asynccontextmanager
async def _moto(folder: Path) -> AsyncIterator[Reached]:
    async with (
        echo_function(folder) as functions,
        moto_server(folder, lambda_endpoint=functions) as endpoint,
        boto3_call(endpoint) as call,
    ):
        yield await reached(call)


@asynccontextmanager
async def _moto_alone(folder: Path) -> AsyncIterator[Reached]:
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(moto_server(folder))
        function = await asyncio.to_thread(make_function, endpoint, "echo")
        yield await reached(await stack.enter_async_context(boto3_call(endpoint)), function)


INSIDE, MOTO = "in process", "moto, boto3"
CONTENDERS: dict[str, Callable[[Path], AbstractAsyncContextManager[Reached]]] = {
    INSIDE: in_process,
    "over HTTP, raw client": over_http(raw_call),
    "over HTTP, boto3": over_http(boto3_call),
    MOTO: _moto,
    "moto with its own Lambda, boto3": _moto_alone,
}


async def measure(
    engine: Reached, into: Measured, *, prefix: str, executions: int, in_flight: int
) -> None:
    """Run `executions`, `in_flight` at a time, each started and waited for by a client."""
    waiting = iter(range(executions))

    async def client() -> None:
        for number in waiting:
            started = time.perf_counter()
            found = await _run_one(engine, f"{prefix}-{number}", into)
            own_s = _at_s(found["stopDate"]) - _at_s(found["startDate"])
            into.add(time.perf_counter() - started, own_s)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(in_flight)))
    into.rates.append(executions / (time.perf_counter() - started))


async def _run_one(engine: Reached, name: str, into: Measured) -> dict[str, Any]:
    """Start one execution and wait for its end; what DescribeExecution says then."""
    started = time.perf_counter()
    parameters = {"stateMachineArn": engine.machine, "name": name, "input": '{"n":1}'}
    arn = (await engine.call("StartExecution", parameters))["executionArn"]
    found, wait_s = {"status": "RUNNING"}, into.expected_s
    while found["status"] == "RUNNING":
        await asyncio.sleep(wait_s)
        found = await engine.call("DescribeExecution", {"executionArn": arn})
        wait_s = max(FIRST_POLL_S, POLL_SHARE * (time.perf_counter() - started))
        into.polls += 1
    if found["status"] != "SUCCEEDED":
        raise RuntimeError(f"{name} ended {found['status']}: nothing to measure")
    return found


def _at_s(date: float | datetime) -> float:
    return date.timestamp() if isinstance(date, datetime) else date
