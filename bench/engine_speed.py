"""How fast the embedded engine is, by each way to reach it: `python -m bench.engine_speed`.

Four Lambda-style tasks per execution, durable, one function that answers at once. Every way runs in one go,
alternating, so that ratios may be read; absolute figures belong to this machine and this moment.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from rich.console import Console
from rich.table import Table

from bench.latency import quantile
from orchestration.engine.service import arn_of
from orchestration.engine_host import EngineProcess, InProcessEngine, running
from orchestration.step_functions import ROLE, Call, boto3_call, direct_call
from orchestration.tasks import in_process_invoker, serve_functions
from shared_domain.child import free_port
from shared_domain.clock import SystemClock

STEPS = ("A", "B", "C", "D")
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
POLL_S = 0.002


def definition() -> dict[str, Any]:
    """A chain of four tasks."""
    chain = zip(STEPS, [*STEPS[1:], None], strict=True)
    task = {"Type": "Task", "Resource": FUNCTION}
    states = {n: task | ({"Next": after} if after else {"End": True}) for n, after in chain}
    return {"StartAt": STEPS[0], "States": states}


async def _echo(payload: bytes) -> bytes:
    return payload


@asynccontextmanager
async def _in_process(folder: Path) -> AsyncIterator[Call]:
    engine = InProcessEngine(
        folder,
        invoke=in_process_invoker({"f": _echo}),
        clock=SystemClock(),
        time_scale=1.0,
        durability="process",
    )
    async with running(engine):
        yield direct_call(engine.engine)


@asynccontextmanager
async def _over_http(folder: Path, *, raw: bool) -> AsyncIterator[Call]:
    async with AsyncExitStack() as stack:
        functions = await stack.enter_async_context(serve_functions({"f": _echo}, port=free_port()))
        engine = EngineProcess(
            folder, lambda_endpoint=functions, time_scale=1.0, durability="process"
        )
        await stack.enter_async_context(running(engine))
        if not raw:
            yield await stack.enter_async_context(boto3_call(engine.endpoint))
            return
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def call(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
            headers = {"X-Amz-Target": f"AWSStepFunctions.{action}"}
            async with session.post(engine.endpoint, json=parameters, headers=headers) as answer:
                found: dict[str, Any] = await answer.json(content_type=None)
                return found

        yield call


WAYS: dict[str, Callable[[Path], Any]] = {
    "in process": _in_process,
    "over HTTP, raw client": lambda folder: _over_http(folder, raw=True),
    "over HTTP, boto3": lambda folder: _over_http(folder, raw=False),
}


async def _one(call: Call, machine: str, name: str) -> float:
    """Start one execution and wait for its end; the seconds it took, as this client saw it."""
    started = time.perf_counter()
    parameters = {"stateMachineArn": machine, "name": name, "input": '{"n":1}'}
    arn = (await call("StartExecution", parameters))["executionArn"]
    while (found := await call("DescribeExecution", {"executionArn": arn}))["status"] == "RUNNING":
        await asyncio.sleep(POLL_S)
    if found["status"] != "SUCCEEDED":
        raise RuntimeError(f"{name} ended {found['status']}: nothing to measure")
    return time.perf_counter() - started


async def _measure(
    call: Call, *, trial: int, executions: int, in_flight: int
) -> tuple[float, list[float]]:
    """(executions per second, seconds of each)."""
    machine = arn_of("stateMachine", "m")
    waiting, times = iter(range(executions)), []

    async def client() -> None:
        for number in waiting:
            took_s = await _one(call, machine, f"t{trial}-{in_flight}-{number}")
            times.append(took_s)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(in_flight)))
    return executions / (time.perf_counter() - started), times


async def compare(*, executions: int, trials: int) -> Table:
    """Every way at 1 and 64 in flight, alternating over the trials."""
    rates: dict[tuple[str, int], list[float]] = {}
    seconds: dict[tuple[str, int], list[float]] = {}
    async with AsyncExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="saga-bench-")))
        calls: dict[str, Call] = {}
        for number, (way, opened) in enumerate(WAYS.items()):
            folder = work / str(number)
            folder.mkdir()
            calls[way] = await stack.enter_async_context(opened(folder))
            machine = {"name": "m", "definition": json.dumps(definition()), "roleArn": ROLE}
            await calls[way]("CreateStateMachine", machine)
        for trial in range(trials):
            for in_flight, count in ((1, max(20, executions // 10)), (64, executions)):
                for way, call in calls.items():
                    rate, times = await _measure(
                        call, trial=trial, executions=count, in_flight=in_flight
                    )
                    rates.setdefault((way, in_flight), []).append(rate)
                    seconds.setdefault((way, in_flight), []).extend(times)
    return _table(rates, seconds)


def _table(
    rates: dict[tuple[str, int], list[float]], seconds: dict[tuple[str, int], list[float]]
) -> Table:
    table = Table(
        "engine",
        "in flight",
        "executions/s (median of trials)",
        "share of in process",
        "p50 ms",
        title="Four tasks per execution, durable",
    )
    for (way, in_flight), measured in rates.items():
        rate = statistics.median(measured)
        share = rate / statistics.median(rates["in process", in_flight])
        middle = quantile(seconds[way, in_flight], 0.5) or 0.0
        table.add_row(way, str(in_flight), f"{rate:.0f}", f"{share:.2f}", f"{1000 * middle:.2f}")
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine_speed", description=__doc__)
    parser.add_argument("--executions", type=int, default=1000, help="per trial at 64 in flight")
    parser.add_argument("--trials", type=int, default=3)
    arguments = parser.parse_args()
    Console(width=100).print(uvloop.run(compare(**vars(arguments))))


if __name__ == "__main__":
    main()
