"""AWS's actions without the wire: create, start, describe, history, stop; and resumption after a crash."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from orchestration.engine.definition import Definition, parse
from orchestration.engine.errors import ApiError
from orchestration.engine.history import Ending, Event, History, open_history
from orchestration.engine.interpreter import MAX_PAYLOAD_BYTES, Execution, Invoke
from shared_domain.ports import Clock

_LOG = logging.getLogger(__name__)
REGION, ACCOUNT = "us-east-1", "000000000000"
_NAME = re.compile(r"[A-Za-z0-9_.+!@=-]{1,80}")
_ARN = f"arn:aws:states:{REGION}:{ACCOUNT}"
_ENDED = frozenset({"SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"})
Parameters = dict[str, Any]


class StepFunctionsEngine:
    """Every state machine and execution in one history. Open it with `async with StepFunctionsEngine.open(...)`."""

    def __init__(
        self, *, history: History, invoke: Invoke, clock: Clock, time_scale: float
    ) -> None:
        self._history, self._invoke = history, invoke
        self._clock, self._time_scale = clock, time_scale
        self._running: dict[str, asyncio.Task[Ending]] = {}
        self._definitions: dict[str, tuple[dict[str, Any], Definition]] = {}
        self._actions: dict[str, Callable[[Parameters], Awaitable[Parameters]]] = {
            "CreateStateMachine": self._create_state_machine,
            "StartExecution": self._start_execution,
            "DescribeExecution": self._describe_execution,
            "GetExecutionHistory": self._get_execution_history,
            "StopExecution": self._stop_execution,
        }

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, *, invoke: Invoke, clock: Clock, time_scale: float, durability: str
    ) -> AsyncIterator["StepFunctionsEngine"]:
        """The engine over its history; executions that had not ended go on where they were.

        Leaving the context is a crash as far as executions are concerned: nothing is written.
        """
        async with open_history(folder, durability=durability) as history:
            engine = cls(history=history, invoke=invoke, clock=clock, time_scale=time_scale)
            try:
                for row in await history.running():
                    await engine._launch(row, await history.events(row["id"]))
                yield engine
            finally:
                for task in engine._running.values():
                    task.cancel()
                await asyncio.gather(*engine._running.values(), return_exceptions=True)

    async def call(self, action: str, parameters: Parameters) -> Parameters:
        """AWS's answer to one API action, as a JSON object. Raise ApiError as AWS does."""
        if action not in self._actions:
            known = ", ".join(self._actions)
            raise ApiError("UnknownOperationException", f"{action} is not one of {known}")
        return await self._actions[action](parameters)

    async def _create_state_machine(self, parameters: Parameters) -> Parameters:
        name = _required(parameters, "name")
        if not _NAME.fullmatch(name):
            raise ApiError("InvalidName", f"Invalid Name: '{name}'")
        text, role = _required(parameters, "definition"), _required(parameters, "roleArn")
        parse(text)
        if parameters.get("type", "STANDARD") != "STANDARD":
            raise ApiError("ValidationException", "this engine runs STANDARD state machines only")
        arn = f"{_ARN}:stateMachine:{name}"
        existing = await self._history.machine(arn)
        if existing is None:
            now_s = self._clock.wall_s()
            await self._history.add_machine(
                arn=arn, name=name, role=role, definition=text, at_s=now_s
            )
            return {"stateMachineArn": arn, "creationDate": now_s}
        if (existing["definition"], existing["role"]) != (text, role):
            raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
        return {"stateMachineArn": arn, "creationDate": existing["created_s"]}

    async def _start_execution(self, parameters: Parameters) -> Parameters:
        machine_arn = _required(parameters, "stateMachineArn")
        machine, _ = await self._machine(machine_arn)
        text = parameters.get("input", "{}")
        _check_input(text)
        started_s = self._clock.wall_s()
        name = parameters.get("name") or f"{started_s:.6f}".replace(".", "-")
        if not _NAME.fullmatch(name):
            raise ApiError("InvalidName", f"Invalid Name: '{name}'")
        arn = f"{_ARN}:execution:{machine['name']}:{name}"
        row, new = await self._history.add_execution(
            arn=arn, machine=machine_arn, name=name, input_text=text, start_s=started_s
        )
        if new:
            await self._launch(row, [])
        elif row["status"] != "RUNNING" or row["input"] != text:
            raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        return {"executionArn": arn, "startDate": row["start_s"]}

    async def _describe_execution(self, parameters: Parameters) -> Parameters:
        row = await self._execution(parameters)
        found = {
            "executionArn": row["arn"],
            "stateMachineArn": row["machine"],
            "name": row["name"],
            "status": row["status"],
            "startDate": row["start_s"],
            "stopDate": row["stop_s"],
            "input": row["input"],
            "inputDetails": {"included": True},
            "output": row["output"],
            "outputDetails": None if row["output"] is None else {"included": True},
            "error": row["error"],
            "cause": row["cause"],
        }
        return {key: value for key, value in found.items() if value is not None}

    async def _get_execution_history(self, parameters: Parameters) -> Parameters:
        row = await self._execution(parameters)
        limit = parameters.get("maxResults") or 100
        try:
            after = int(parameters.get("nextToken", "0"))
        except ValueError:
            raise ApiError("InvalidToken", "Invalid Token") from None
        newest_first = parameters.get("reverseOrder", False)
        found = await self._history.events(
            row["id"], after=after, limit=limit + 1, newest_first=newest_first
        )
        page: Parameters = {"events": [_event(event) for event in found[:limit]]}
        if len(found) > limit:
            page["nextToken"] = str(found[limit - 1].id)
        return page

    async def _stop_execution(self, parameters: Parameters) -> Parameters:
        row = await self._execution(parameters)
        if row["status"] in _ENDED:
            return {"stopDate": row["stop_s"]}
        if task := self._running.pop(row["arn"], None):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        ending = Ending(
            status="ABORTED", error=parameters.get("error"), cause=parameters.get("cause")
        )
        await self._history.abort(row["id"], ending, stop_s=self._clock.wall_s())
        return {"stopDate": (await self._execution(parameters))["stop_s"]}

    async def _launch(self, row: dict[str, Any], recorded: list[Event]) -> None:
        machine, definition = await self._machine(row["machine"])
        execution = Execution(
            row=row,
            machine=machine,
            definition=definition,
            recorded=recorded,
            history=self._history,
            invoke=self._invoke,
            clock=self._clock,
            time_scale=self._time_scale,
        )
        task = asyncio.create_task(execution.run())
        self._running[row["arn"]] = task
        task.add_done_callback(lambda ended: self._forget(row["arn"], ended))

    def _forget(self, arn: str, ended: asyncio.Task[Ending]) -> None:
        self._running.pop(arn, None)
        if not ended.cancelled() and (bug := ended.exception()):
            _LOG.error("%s cannot go on and stays RUNNING: %r", arn, bug)

    async def _machine(self, arn: str) -> tuple[dict[str, Any], Definition]:
        if arn not in self._definitions:
            row = await self._history.machine(arn)
            if row is None:
                raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
            self._definitions[arn] = row, parse(row["definition"])
        return self._definitions[arn]

    async def _execution(self, parameters: Parameters) -> dict[str, Any]:
        arn = _required(parameters, "executionArn")
        row = await self._history.execution(arn)
        if row is None:
            raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return row


def _required(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError("ValidationException", f"'{name}' must be a text that is not empty")
    return value


def _check_input(text: Any) -> None:
    if not isinstance(text, str):
        raise ApiError("ValidationException", "'input' must be a text")
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        raise ApiError("ValidationException", f"'input' is over {MAX_PAYLOAD_BYTES} bytes")
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ApiError(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
        ) from error


def _event(event: Event) -> dict[str, Any]:
    return {
        "timestamp": event.at_s,
        "type": event.type,
        "id": event.id,
        "previousEventId": event.previous,
        **event.details,
    }
