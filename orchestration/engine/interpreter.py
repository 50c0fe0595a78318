"""Runs one execution from state to state, every transition durable before its effect.

The twin of choreography/consumer.py. After a crash the same code runs again over the recorded
history: as long as recorded events are left, `record` returns them instead of making new ones.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from orchestration.engine.definition import Definition
from orchestration.engine.errors import ExecutionFailed, HistoryDamaged, StatesError
from orchestration.engine.history import Ending, Event, History
from orchestration.engine.states import STATES, UNTRUNCATED, text
from shared_domain.ports import Clock

Invoke = Callable[[str, str], Awaitable[str]]
"""(resource ARN, payload) -> result, both JSON texts. Raises StatesError if the invocation failed."""
MAX_EVENTS = 25_000
MAX_PAYLOAD_BYTES = 262_144
_LAST = {"SUCCEEDED": "ExecutionSucceeded", "FAILED": "ExecutionFailed"}


class Execution:
    """One execution in memory. `row` is its line in the history's table of executions."""

    def __init__(
        self,
        *,
        row: dict[str, Any],
        machine: dict[str, Any],
        definition: Definition,
        recorded: list[Event],
        history: History,
        invoke: Invoke,
        clock: Clock,
        time_scale: float,
    ) -> None:
        self._row, self._machine, self._definition = row, machine, definition
        self._recorded, self._history = recorded, history
        self._invoke_resource, self._clock, self._time_scale = invoke, clock, time_scale
        self._position = 0
        self._last: Event | None = None
        self._entered_s = 0.0
        self._pending: list[Event] = []
        self._input = orjson.loads(row["input"])

    async def run(self) -> Ending:
        """Run to the end, from wherever the recorded history stops."""
        details = {
            "input": self._row["input"],
            "inputDetails": UNTRUNCATED,
            "roleArn": self._machine["role"],
        }
        self._record("ExecutionStarted", "executionStartedEventDetails", details)
        try:
            output = text(await self._states())
            ending = Ending(status="SUCCEEDED", output=output)
            last = {"output": output, "outputDetails": UNTRUNCATED}
        except StatesError as failure:
            ending = Ending(status="FAILED", error=failure.error, cause=failure.cause)
            last = _error(failure)
        kind = _LAST[ending.status]
        self._record(kind, f"{kind[0].lower()}{kind[1:]}EventDetails", last)
        await self._history.end(self._row["id"], self._pending, ending, stop_s=self._clock.wall_s())
        return ending

    async def wait(self, seconds: float) -> None:
        """See states.Run."""
        assert self._last is not None
        due_s = self._last.at_s + seconds * self._time_scale
        if self._replaying():
            return
        await self._flush()
        await self._clock.sleep(max(0.0, due_s - self._clock.wall_s()))

    async def invoke(self, resource: str, payload: str, timeout_s: float | None) -> Any:
        """See states.Run. A task whose answer was lost with the engine is dispatched again."""
        scheduled: dict[str, Any] = {
            "resource": resource,
            "input": payload,
            "inputDetails": UNTRUNCATED,
        }
        if timeout_s is not None:
            scheduled["timeoutInSeconds"] = timeout_s
        event = self._record(
            "LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails", scheduled
        )
        payload = event.details["lambdaFunctionScheduledEventDetails"]["input"]
        self._record("LambdaFunctionStarted")
        if not self._replaying():
            await self._dispatch(resource, payload, timeout_s)
        return self._outcome()

    async def _dispatch(self, resource: str, payload: str, timeout_s: float | None) -> None:
        """Invoke once and record what came of it."""
        await self._flush()
        scaled_s = None if timeout_s is None else timeout_s * self._time_scale
        try:
            async with asyncio.timeout(scaled_s):
                result = await self._invoke_resource(resource, payload)
            details = {"output": result, "outputDetails": UNTRUNCATED}
            self._record("LambdaFunctionSucceeded", "lambdaFunctionSucceededEventDetails", details)
        except TimeoutError:
            timeout = _error(StatesError("States.Timeout"))
            self._record("LambdaFunctionTimedOut", "lambdaFunctionTimedOutEventDetails", timeout)
        except StatesError as failure:
            self._record(
                "LambdaFunctionFailed", "lambdaFunctionFailedEventDetails", _error(failure)
            )

    def _outcome(self) -> Any:
        """The result that the last recorded event holds. Raise StatesError if it is a failure."""
        event = self._last if not self._replaying() else self._next_recorded()
        assert event is not None
        if event.type == "LambdaFunctionSucceeded":
            return orjson.loads(event.details["lambdaFunctionSucceededEventDetails"]["output"])
        details = next(iter(event.details.values()))
        raise StatesError(details.get("error", ""), details.get("cause"))

    def context(self, state: str, *, retries: int = 0) -> dict[str, Any]:
        """See states.Run."""
        return {
            "Execution": {
                "Id": self._row["arn"],
                "Input": self._input,
                "Name": self._row["name"],
                "RoleArn": self._machine["role"],
                "StartTime": _iso(self._row["start_s"]),
            },
            "StateMachine": {"Id": self._machine["arn"], "Name": self._machine["name"]},
            "State": {
                "Name": state,
                "EnteredTime": _iso(self._entered_s),
                "RetryCount": retries,
            },
        }

    async def _states(self) -> Any:
        name: str | None = self._definition.start_at
        data = self._input
        while name is not None:
            state = self._definition.states[name]
            kind = state["Type"]
            entering = {"name": name, "input": text(data), "inputDetails": UNTRUNCATED}
            entered = self._record(f"{kind}StateEntered", "stateEnteredEventDetails", entering)
            self._entered_s = entered.at_s
            data, following = await STATES[kind](self, name, state, data)
            output = text(data)
            if len(output.encode()) > MAX_PAYLOAD_BYTES:
                raise ExecutionFailed(
                    "States.DataLimitExceeded",
                    f"The state/task '{name}' returned a result with a size exceeding the maximum"
                    " number of bytes service limit.",
                )
            exiting = {"name": name, "output": output, "outputDetails": UNTRUNCATED}
            self._record(f"{kind}StateExited", "stateExitedEventDetails", exiting)
            name = following
        return data

    def _replaying(self) -> bool:
        return self._position < len(self._recorded)

    def _next_recorded(self) -> Event:
        self._last = self._recorded[self._position]
        self._position += 1
        return self._last

    def _record(self, kind: str, field: str = "", details: dict[str, Any] | None = None) -> Event:
        """The next event of the history: the recorded one, or a new one that waits to be durable."""
        if self._replaying():
            event = self._next_recorded()
            if event.type != kind:
                raise HistoryDamaged(
                    f"{self._row['arn']}: event {event.id} is {event.type}, not {kind}"
                )
            return event
        number = self._last.id + 1 if self._last else 1
        if number >= MAX_EVENTS and kind not in _LAST.values():
            raise ExecutionFailed(
                "States.Runtime",
                f"The execution reached the maximum number of history events ({MAX_EVENTS}).",
            )
        previous = 0 if number == 2 else number - 1
        at_s = self._clock.wall_s()
        event = Event(number, previous, kind, at_s, {field: details} if field else {})
        self._pending.append(event)
        self._last = event
        return event

    async def _flush(self) -> None:
        if self._pending:
            events, self._pending = self._pending, []
            await self._history.append(self._row["id"], events)


def _error(failure: StatesError) -> dict[str, Any]:
    found = {"error": failure.error, "cause": failure.cause}
    return {key: value for key, value in found.items() if value is not None}


def _iso(at_s: float) -> str:
    stamp = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
    return stamp.removesuffix("+00:00") + "Z"
