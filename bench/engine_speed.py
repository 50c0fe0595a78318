"""How fast the embedded engine is, by each way to reach it: `python -m bench.engine_speed`.

Four Lambda-style tasks per execution, one function that answers at once. Every way runs in one go, alternating, so
that ratios may be read; absolute figures belong to this machine and this moment. The embedded engine is durable;
moto keeps everything in memory.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.peers.moto_server import moto_server
from orchestration.engine_host import EngineProcess, InProcessEngine, running
from orchestration.step_functions import ROLE, Call, boto3_call, direct_call
from orchestration.tasks import in_process_invoker, serve_functions
from shared_domain.child import free_port
from shared_domain.clock import SystemClock
from shared_domain.errors import UsageError

MANY = 64
STEPS = ("A", "B", "C", "D")
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
FIRST_POLL_S, POLL_SHARE = 0.002, 0.2
"""A client asks again after a fifth of the time that it has waited: the same share of error for every engine."""


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
async def _moto(folder: Path) -> AsyncIterator[Call]:
    async with (
        serve_functions({"f": _echo}, port=free_port()) as functions,
        moto_server(folder, lambda_endpoint=functions) as endpoint,
        boto3_call(endpoint) as call,
    ):
        yield call


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


INSIDE, MOTO = "in process", "moto, boto3"
WAYS: dict[str, Callable[[Path], AbstractAsyncContextManager[Call]]] = {
    INSIDE: _in_process,
    "over HTTP, raw client": lambda folder: _over_http(folder, raw=True),
    "over HTTP, boto3": lambda folder: _over_http(folder, raw=False),
    MOTO: _moto,
}


async def _one(call: Call, machine: str, name: str) -> float:
    """Start one execution and wait for its end; the seconds it took, as this client saw it."""
    started = time.perf_counter()
    parameters = {"stateMachineArn": machine, "name": name, "input": '{"n":1}'}
    arn = (await call("StartExecution", parameters))["executionArn"]
    status = "RUNNING"
    while status == "RUNNING":
        await asyncio.sleep(max(FIRST_POLL_S, POLL_SHARE * (time.perf_counter() - started)))
        status = (await call("DescribeExecution", {"executionArn": arn}))["status"]
    if status != "SUCCEEDED":
        raise RuntimeError(f"{name} ended {status}: nothing to measure")
    return time.perf_counter() - started


async def _measure(
    call: Call, machine: str, *, trial: int, executions: int, in_flight: int
) -> tuple[float, list[float]]:
    """(executions per second, seconds of each)."""
    waiting, times = iter(range(executions)), []

    async def client() -> None:
        for number in waiting:
            took_s = await _one(call, machine, f"t{trial}-{in_flight}-{number}")
            times.append(took_s)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(in_flight)))
    return executions / (time.perf_counter() - started), times


@dataclass
class Measured:
    """What one way reached at one number in flight."""

    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Executions per second: the median of the trials."""
        return statistics.median(self.rates)

    @property
    def p50_s(self) -> float:
        """The median of all executions."""
        return statistics.median(self.seconds)


async def compare(*, executions: int, trials: int, ways: Sequence[str]) -> Table:
    """The ways at 1 and 64 in flight, alternating over the trials."""
    found: dict[tuple[int, str], Measured] = defaultdict(Measured)
    async with AsyncExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="saga-bench-")))
        calls: dict[str, tuple[Call, str]] = {}
        for number, way in enumerate(ways):
            folder = work / str(number)
            folder.mkdir()
            call = await stack.enter_async_context(WAYS[way](folder))
            machine = {"name": "m", "definition": json.dumps(definition()), "roleArn": ROLE}
            calls[way] = call, (await call("CreateStateMachine", machine))["stateMachineArn"]
        trying = [(t, n, way) for t in range(trials) for n in (1, MANY) for way in ways]
        for trial, in_flight, way in track(trying, "measuring", console=Console(stderr=True)):
            count = executions if in_flight == MANY else max(20, executions // 10)
            if way == MOTO:
                count = max(20, count // 8) if in_flight == 1 else max(2 * MANY, count // 8)
            call, machine_arn = calls[way]
            rate, times = await _measure(
                call, machine_arn, trial=trial, executions=count, in_flight=in_flight
            )
            found[in_flight, way].rates.append(rate)
            found[in_flight, way].seconds.extend(times)
    return _table(found)


def _table(found: dict[tuple[int, str], Measured]) -> Table:
    table = Table(
        "in flight",
        "engine",
        "executions/s",
        "share of in process",
        "times moto's",
        "p50 ms",
        "share of moto's p50",
        title="Four tasks per execution; medians over the trials",
    )
    for (in_flight, way), measured in sorted(found.items()):
        inside, moto = found.get((in_flight, INSIDE)), found.get((in_flight, MOTO))
        table.add_row(
            str(in_flight),
            way,
            f"{measured.rate:.0f}",
            f"{measured.rate / inside.rate:.2f}" if inside else "",
            f"{measured.rate / moto.rate:.1f}" if moto else "",
            f"{1000 * measured.p50_s:.2f}",
            f"{measured.p50_s / moto.p50_s:.3f}" if moto else "",
        )
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine_speed", description=__doc__)
    parser.add_argument("--executions", type=int, default=1000, help="per trial at 64 in flight")
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument(
        "--way", action="append", choices=WAYS, help="only this one; may be repeated"
    )
    given = parser.parse_args()
    try:
        table = uvloop.run(
            compare(executions=given.executions, trials=given.trials, ways=given.way or list(WAYS))
        )
    except UsageError as error:
        sys.exit(f"error: {error}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
