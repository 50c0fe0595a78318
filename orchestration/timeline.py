"""A saga as GetExecutionHistory alone tells it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kernel.saga import Saga
from kernel.timeline import CUSTOMER, Call, Evidence, Timeline
from orchestration.engine.invoker import function_of

PAGE = 1000
"""Most events that one GetExecutionHistory gives."""
_ENDED = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")


def native_timeline(saga: Saga, order_id: str, evidence: Evidence) -> Timeline:
    """The saga rebuilt from the source `histories`.

    What led to a task is the answer before it in its branch: the conductor calls one after another. An outcome that the conductor never
    heard of is not in its history.
    """
    histories = evidence.get("histories", [])
    events = [event for history in histories for event in history["events"]]
    calls, running = _calls(events)
    parked: dict[str, str] = {}
    ended = next((event for event in reversed(events) if event["type"] in _ENDED), None)
    ends = saga.ends
    status = next((ends[c.answer] for c in reversed(calls) if c.answer in ends), "")
    if ended is not None and ended["type"] != "ExecutionSucceeded" and not status:
        parked = {
            "parked_at": _stopped(calls, running, given_up=_gave_up(events)),
            "parked_why": _why(ended, calls),
            "parked_id": order_id,
        }
    return Timeline(
        saga=saga,
        order_id=order_id,
        calls=(*calls, *running),
        read={
            "sources": 1,
            "records": len(events),
            "bytes": len(json.dumps(histories)),
            "requests": max(1, -(-len(events) // PAGE)),
        },
        **parked,
    )


@dataclass(slots=True)
class _At:
    """Where one branch of an execution is: the task in hand, and the last answer before it."""

    cause: str = CUSTOMER
    operation: str = ""
    service: str = ""
    began_s: float | None = None


def stopped_at(events: Iterable[dict[str, Any]]) -> str:
    """The operation at which an execution failed, by its history; "" = it had called nobody."""
    history = list(events)
    return _stopped(*_calls(history), given_up=_gave_up(history))


def _gave_up(events: Sequence[dict[str, Any]]) -> bool:
    """Whether the execution itself says that it failed (a Fail state), because of what it was answered last."""
    entered = [e["type"] for e in events if e["type"].endswith("StateEntered")]
    return entered[-1:] == ["FailStateEntered"]


def _stopped(calls: list[Call], running: list[Call], *, given_up: bool) -> str:
    """What failed and was never answered: with branches that is not always what was called last."""
    if given_up and calls:
        return calls[-1].operation
    answered = {call.operation for call in calls if call.answer}
    failed = [call for call in calls if call.operation not in answered]
    tried = failed or running or calls
    return tried[-1].operation if tried else ""


def _calls(events: Iterable[dict[str, Any]]) -> tuple[list[Call], list[Call]]:
    """Those that ended, and those that have not: one for each branch. Events belong to a branch by their previousEventId."""
    calls: list[Call] = []
    after: dict[int, _At] = {}
    running: dict[str, Call] = {}
    for event in events:
        kind, before = event["type"], after.get(event.get("previousEventId", 0), _At())
        at = replace(before)
        after[event["id"]] = at
        if kind == "TaskStateEntered":
            at.operation = event["stateEnteredEventDetails"]["name"]
        elif kind == "ParallelStateExited" and calls:
            at.cause = calls[-1].answer or at.cause
        elif kind == "LambdaFunctionScheduled":
            details = event["lambdaFunctionScheduledEventDetails"]
            at.service, at.began_s = function_of(details["resource"])[0], event["timestamp"]
            running[at.operation] = _call(at, ended_s=None)
        elif (
            at.began_s is not None
            and kind.startswith("LambdaFunction")
            and kind != "LambdaFunctionStarted"
        ):
            succeeded = kind == "LambdaFunctionSucceeded"
            output = event.get("lambdaFunctionSucceededEventDetails", {}).get("output", "")
            answer = _answer(output) if succeeded else ""
            failure = "" if succeeded else _failure(event)
            calls.append(_call(at, ended_s=event["timestamp"], answer=answer, failure=failure))
            running.pop(at.operation, None)
            at.began_s, at.cause = None, answer or at.cause
    return calls, list(running.values())


def _call(at: _At, *, ended_s: float | None, answer: str = "", failure: str = "") -> Call:
    return Call(
        operation=at.operation,
        service=at.service,
        began_s=at.began_s,
        ended_s=ended_s,
        answer=answer,
        failure=failure,
        cause=at.cause,
    )


def _answer(output: str) -> str:
    try:
        return str(json.loads(output)["name"])
    except (ValueError, KeyError, TypeError):
        return ""


def _failure(event: dict[str, Any]) -> str:
    """What a failed call's event says, in a line."""
    (details,) = [value for key, value in event.items() if key.endswith("EventDetails")] or [{}]
    return f"{details.get('error', event['type'])}: {message_in(details.get('cause', ''))}"


def _why(ended: dict[str, Any], calls: list[Call]) -> str:
    if ended["type"] == "ExecutionTimedOut":
        return "open past the saga deadline"
    failed = [call.failure for call in calls if call.failure]
    return failed[-1] if failed else _failure(ended)


def message_in(cause: str) -> str:
    """The message in the cause of an error: what a function's own error says, or all of it."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause
