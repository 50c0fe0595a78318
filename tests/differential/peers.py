"""The same execution on the embedded engine and on moto, each through boto3, and what each says of it."""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from bench.peers.moto_server import moto_server
from kernel.child import free_port
from kernel.errors import Failure
from orchestration.step_functions import ROLE, boto3_call
from orchestration.tasks import serve_functions
from tests.contract.engines import open_engine

DEADLINE_S = 30.0
SLOW_S = 3.0


class Boom(Failure):
    """An error with a name."""


class Flaky(Failure):
    """An error that passes."""


class Functions:
    """What the definitions call; one per engine, so that both see the same."""

    def __init__(self):
        self._failed = set()

    def named(self):
        """Name -> function."""
        return {name: getattr(self, name) for name in ("echo", "wrap", "boom", "flaky", "slow")}

    async def echo(self, payload):
        return payload

    async def wrap(self, payload):
        return b'{"wrapped":' + payload + b"}"

    async def boom(self, payload):
        raise Boom("always")

    async def flaky(self, payload):
        if payload in self._failed:
            return payload
        self._failed.add(payload)
        raise Flaky("the first time")

    async def slow(self, payload):
        await asyncio.sleep(SLOW_S)
        return payload


@dataclass(frozen=True)
class Told:
    """What an engine says of an ended execution.

    `events`: (type, name of the state). `chain`: the event that led to each.
    """

    status: str
    output: object
    error: str | None
    events: tuple
    chain: tuple

    def without(self, kind):
        """The same, without the events of a type; which shifts what leads to what."""
        kept = tuple(event for event in self.events if event[0] != kind)
        return replace(self, events=kept, chain=())

    def unordered(self):
        """The same, where the order of events does not count."""
        return self.status, json.dumps(self.output), self.error, Counter(self.events)


@asynccontextmanager
async def embedded(folder):
    """A call to the embedded engine, at the pace of the clock on the wall."""
    async with open_engine("embedded", folder, Functions().named(), time_scale=1.0) as engine:
        yield engine.call


@asynccontextmanager
async def moto(folder):
    """A call to moto."""
    async with AsyncExitStack() as stack:
        functions = serve_functions(Functions().named(), port=free_port())
        endpoint = await stack.enter_async_context(functions)
        server = await stack.enter_async_context(moto_server(folder, lambda_endpoint=endpoint))
        yield await stack.enter_async_context(boto3_call(server))


async def told(call, name, definition, document):
    """Run a definition on an engine; what it says of it."""
    made = {"name": name, "definition": json.dumps(definition), "roleArn": ROLE}
    machine = (await call("CreateStateMachine", made))["stateMachineArn"]
    started = {"stateMachineArn": machine, "name": "e", "input": json.dumps(document)}
    request = {"executionArn": (await call("StartExecution", started))["executionArn"]}
    async with asyncio.timeout(DEADLINE_S):
        while (found := await call("DescribeExecution", request))["status"] == "RUNNING":
            await asyncio.sleep(0.02)
    history = await call("GetExecutionHistory", request | {"maxResults": 1000})
    return Told(
        status=found["status"],
        output=_output(history["events"][-1]),
        error=found.get("error"),
        events=tuple((event["type"], _state_of(event)) for event in history["events"]),
        chain=tuple(event["previousEventId"] for event in history["events"]),
    )


def _output(last):
    """From the history: moto's DescribeExecution tells a text without its quotes."""
    details = last.get("executionSucceededEventDetails")
    return json.loads(details["output"]) if details else None


def _state_of(event):
    details = (value for key, value in event.items() if key.endswith("EventDetails"))
    return next(details, {}).get("name", "")
