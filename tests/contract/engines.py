"""The engine under test, in this process or over HTTP through boto3, and how to run something on it."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from kernel.child import free_port
from kernel.clock import SystemClock
from orchestration.engine_host import EngineProcess, InProcessEngine, running
from orchestration.step_functions import ROLE, Call, boto3_call, direct_call
from orchestration.tasks import in_process_invoker, serve_functions

LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:"
STATES = "arn:aws:states:us-east-1:000000000000:"
WAYS = ["inprocess", "embedded"]


@dataclass
class Engine:
    """A running engine and a way to call it."""

    call: Call
    engine: InProcessEngine | EngineProcess


@asynccontextmanager
async def open_engine(way, folder, functions, *, time_scale=0.01, **more):
    """An engine whose Lambda functions are `functions`."""
    settings = {"time_scale": time_scale, "durability": "process", **more}
    async with AsyncExitStack() as stack:
        if way == "inprocess":
            invoke = in_process_invoker(functions)
            engine = InProcessEngine(folder, invoke=invoke, **{"clock": SystemClock(), **settings})
            await stack.enter_async_context(running(engine))
            yield Engine(direct_call(engine.engine), engine)
            return
        endpoint = await stack.enter_async_context(serve_functions(functions, port=free_port()))
        engine = EngineProcess(folder, lambda_endpoint=endpoint, **settings)
        await stack.enter_async_context(running(engine))
        yield Engine(await stack.enter_async_context(boto3_call(engine.endpoint)), engine)


async def start(call, definition, document=None, *, name="e1", kind="STANDARD", text=None):
    """Create the machine `m` and start an execution of it; the execution's ARN. `text`: the input as JSON, null included."""
    made = {"name": "m", "definition": json.dumps(definition), "roleArn": ROLE, "type": kind}
    arn = (await call("CreateStateMachine", made))["stateMachineArn"]
    given = text or ("{}" if document is None else json.dumps(document))
    started = {"stateMachineArn": arn, "name": name, "input": given}
    return (await call("StartExecution", started))["executionArn"]


async def wait_for_end(call, execution):
    """What DescribeExecution says of an execution once it has ended."""
    request = {"executionArn": execution}
    async with asyncio.timeout(20):
        while (found := await call("DescribeExecution", request))["status"] == "RUNNING":
            await asyncio.sleep(0.005)
    return found


async def run_to_end(engine, definition, document):
    """(call, ARN, what DescribeExecution says at the end)."""
    execution = await start(engine.call, definition, document)
    return engine.call, execution, await wait_for_end(engine.call, execution)
