"""A state machine played on the embedded engine, with every script at once and nobody behind it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from kernel.clock import SystemClock
from kernel.memory_files import MemoryFolder
from kernel.messages import MAX_BYTES, order_json
from kernel.orders import CONFIRMED
from kernel.pages import tasks_of
from kernel.saga import Saga
from orchestration.engine.errors import StatesError
from orchestration.engine.invoker import function_of
from orchestration.engine_host import InProcessEngine, running
from orchestration.step_functions import StepFunctions, direct_call
from scenarios.checks.rows import FAILS, LARGE, LATE, ODD, PARKED, Script, scripts

LONGEST_S = 20.0
"""No machine without waits needs longer; one that does goes round in circles."""
_OWN_ERRORS = ("States.Runtime", "States.ParameterPathFailure", "States.ResultPathMatchFailure")
_ERRORS = {FAILS: "Lambda.Unknown", LATE: "States.Timeout"}


@dataclass(slots=True)
class Played:
    """What a machine did with a script: the operations that it called, how it ended, what it entered and lost."""

    calls: list[str] = field(default_factory=list)
    status: str = ""
    entered: list[str] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    error: str = ""
    """Why it could not go on by itself, at the state that it entered last."""


async def play_all(
    saga: Saga, variant: str, definition: dict[str, Any]
) -> list[tuple[Script, Played]]:
    """Every script, at the same time, on one engine."""
    # Retries and deadlines are looked at by themselves; here they would only measure this machine.
    for _, task in tasks_of(definition):
        for key in ("Retry", "TimeoutSeconds", "HeartbeatSeconds"):
            task.pop(key, None)
    every = {f"script-{n:04d}": script for n, script in enumerate(scripts(saga, variant))}
    played = {name: Played() for name in every}
    order = saga.workload.order(0, n=1, chance=Random(1), item=saga.workload.item)

    async def invoke(resource: str, payload: str) -> str:
        return _answer(saga, every, played, function_of(resource)[0], json.loads(payload))

    async with _engine(invoke) as step_functions:
        machine = await step_functions.create(name="page", definition=definition)
        for name in every:
            document = {
                "order": order_json(order) | {"order_id": name},
                "answer": {"name": "", "message_id": f"{name}:customer"},
                "traceparent": "",
            }
            await step_functions.start(machine_arn=machine, name=name, document=document)
        async with asyncio.timeout(LONGEST_S):
            for arn in await step_functions.executions(machine):
                await _ended(saga, step_functions, arn, played[arn.rpartition(":")[2]])
    return [(every[name], found) for name, found in played.items()]


def _answer(
    saga: Saga,
    every: dict[str, Script],
    played: dict[str, Played],
    function: str,
    payload: Any,
) -> str:
    operation = str(payload.get("name", "")) if isinstance(payload, dict) else ""
    order_id = (payload.get("order") or {}).get("order_id", "") if operation else ""
    if order_id not in every:
        for found in played.values():  # whose it is cannot be known
            found.lost.setdefault(operation or function, "without the order")
        raise StatesError("UnreadableMessage", "without the order")
    found = played[order_id]
    if operation not in saga.served_by:
        raise StatesError("UnreadableMessage", f"{function} knows no {operation}")
    if saga.served_by[operation] != function:
        found.lost[operation] = f"at {function}, which does not serve it"
    found.calls.append(operation)
    answer = every[order_id].get(operation, saga.answers[operation][0])
    if answer in _ERRORS:
        raise StatesError(_ERRORS[answer], answer)
    said = {"name": answer, "message_id": f"{order_id}:{answer}", "reason": ""}
    if answer == ODD:
        said["name"] = "Surprise"
    if answer == LARGE:
        said |= {"name": saga.answers[operation][0], "reason": "x" * MAX_BYTES}
    return json.dumps(said)


async def _ended(saga: Saga, step_functions: StepFunctions, arn: str, found: Played) -> None:
    # LOOK: not the list of those that run: one that has left it may still be described as running for a moment, as on AWS.
    while (ended := await step_functions.describe(arn))["status"] == "RUNNING":
        await asyncio.sleep(0.01)
    if ended["status"] == "SUCCEEDED":
        found.status = CONFIRMED
    else:
        found.status = saga.ends.get(ended.get("error", ""), PARKED)
    if ended.get("error") in _OWN_ERRORS:
        found.error = f"{ended['error']}: {ended.get('cause', '')}"
    found.entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in await step_functions.history(arn)
        if event["type"].endswith("StateEntered")
    ]


@asynccontextmanager
async def _engine(invoke: Any) -> AsyncIterator[StepFunctions]:
    with MemoryFolder() as folder:
        engine = InProcessEngine(
            folder,
            invoke=invoke,
            clock=SystemClock(),
            time_scale=0.001,
            durability="process",
        )
        async with running(engine):
            yield StepFunctions(direct_call(engine.engine))
