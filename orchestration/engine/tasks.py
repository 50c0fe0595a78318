"""Task states: Lambda functions, lambda:invoke with and without a callback, activities."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from orchestration.engine.entered import Entered
from orchestration.engine.errors import Fault, StatesError
from orchestration.engine.history import Event
from orchestration.engine.text import MAX_PAYLOAD_BYTES, UNTRUNCATED, error_details, parsed, text

LAMBDA = re.compile(r"arn:aws[\w-]*:lambda:[a-z0-9-]*:\d{12}:function:([\w-]{1,140})(?::[\w$-]+)?")
ACTIVITY = re.compile(r"arn:aws[\w-]*:states:[a-z0-9-]*:\d{12}:activity:.+")
INVOKE = re.compile(
    r"arn:aws[\w-]*:states:[a-z0-9-]*:(?:\d{12})?:lambda:invoke(\.waitForTaskToken)?"
)
SUPPORTED = "a Lambda function's ARN, states:::lambda:invoke, states:::lambda:invoke.waitForTaskToken, an activity's ARN"
CALLBACK = ".waitForTaskToken"
_REGION = "us-east-1"
TIMER_S = 0.01
"""How much too early a timer may be."""


def is_supported(resource: str) -> bool:
    """Whether this engine can carry out tasks of this resource."""
    return any(kind.fullmatch(resource) for kind in (LAMBDA, ACTIVITY, INVOKE))


@dataclass(frozen=True, slots=True)
class _Family:
    """How the events of a kind of task are named, and what each of them says."""

    prefix: str
    told: dict[str, Any] = field(default_factory=dict)

    def record(self, entered: Entered, what: str, details: dict[str, Any]) -> Event:
        """Record `prefix``what`, with its details."""
        kind, said = f"{self.prefix}{what}", details | self.told
        name = f"{kind[0].lower()}{kind[1:]}EventDetails" if said or what == "Failed" else ""
        if self.prefix == "LambdaFunction" and what == "Started":
            name = ""
        return entered.branch.record(kind, name, said)


async def run(entered: Entered) -> Any:
    """One attempt at a task: its result. Raise StatesError once its failure is recorded."""
    resource, branch = entered.state["Resource"], entered.branch
    callback = resource.endswith(CALLBACK)
    token = None
    if callback:
        token = branch.shared.callbacks.token(branch.shared.row["id"], branch.shared.next_id())
    scope = entered.scope(token=token)
    arguments = entered.query.arguments(entered.state, entered.data, scope)
    if len(text(arguments).encode()) > MAX_PAYLOAD_BYTES:
        raise StatesError(
            "States.DataLimitExceeded",
            f"The state/task '{entered.name}' provided parameters with a size exceeding the maximum number of"
            " bytes service limit.",
        )
    limits = _limits(entered)
    if LAMBDA.fullmatch(resource):
        return await _function(entered, arguments, limits)
    if ACTIVITY.fullmatch(resource):
        return await _activity(entered, arguments, limits)
    return await _invoke(entered, arguments, limits, callback=callback)


@dataclass(frozen=True, slots=True)
class _Limits:
    timeout_s: float | None
    heartbeat_s: float | None

    def told(self) -> dict[str, Any]:
        """As events tell them."""
        found = {"timeoutInSeconds": self.timeout_s, "heartbeatInSeconds": self.heartbeat_s}
        return {name: value for name, value in found.items() if value is not None}

    def scaled(self, scale: float) -> "_Limits":
        """In real seconds."""
        timeout_s = None if self.timeout_s is None else self.timeout_s * scale
        heartbeat_s = None if self.heartbeat_s is None else self.heartbeat_s * scale
        return _Limits(timeout_s, heartbeat_s)


def _limits(entered: Entered) -> _Limits:
    scope = entered.scope()
    found = [
        entered.query.value(entered.state, name, entered.data, scope)
        for name in ("TimeoutSeconds", "HeartbeatSeconds")
    ]
    for name, value in zip(("TimeoutSeconds", "HeartbeatSeconds"), found, strict=True):
        if value is not None and (
            not isinstance(value, int) or isinstance(value, bool) or value < 1
        ):
            raise Fault(
                "States.Runtime", f"The {name} field must be a positive integer: {text(value)}"
            )
    return _Limits(*found)


async def _function(entered: Entered, arguments: Any, limits: _Limits) -> Any:
    family, resource = _Family("LambdaFunction"), entered.state["Resource"]
    details = {"resource": resource, "input": text(arguments), "inputDetails": UNTRUNCATED}
    scheduled = family.record(entered, "Scheduled", details | limits.told())
    family.record(entered, "Started", {})
    payload = scheduled.details["lambdaFunctionScheduledEventDetails"]["input"]

    async def invoke() -> str:
        return await entered.branch.shared.invoke(resource, payload)

    return await _outcome(entered, family, invoke, limits, who=resource)


async def _invoke(entered: Entered, arguments: Any, limits: _Limits, *, callback: bool) -> Any:
    action = f"invoke{CALLBACK}" if callback else "invoke"
    family = _Family("Task", {"resource": action, "resourceType": "lambda"})
    if not isinstance(arguments, dict) or not isinstance(arguments.get("FunctionName"), str):
        raise Fault("States.Runtime", "The field 'FunctionName' is required but was missing")
    details = {"parameters": text(arguments), "region": _REGION} | limits.told()
    scheduled = family.record(entered, "Scheduled", details)
    family.record(entered, "Started", {})
    sent = parsed(scheduled.details["taskScheduledEventDetails"]["parameters"])
    function = sent["FunctionName"]
    if "Qualifier" in sent:
        function += f":{sent['Qualifier']}"

    async def invoke() -> str:
        try:
            answer = await entered.branch.shared.invoke(function, _payload(sent))
        except StatesError as failure:
            raise StatesError(failure.error, _compact(failure.cause)) from failure
        response = _response(answer, sent.get("Qualifier", "$LATEST"))
        if sent.get("LogType") == "Tail":
            response["LogResult"] = ""
        return text(response)

    if not callback:
        return await _outcome(entered, family, invoke, limits, who="lambda")
    shared = entered.branch.shared
    with shared.callbacks.expected(shared.row["id"], scheduled.id):
        if entered.branch.upcoming() == "TaskSubmitted":
            entered.branch.next_recorded()
        else:
            await _outcome(entered, family, invoke, limits, who="lambda", success="Submitted")
        return await _answer(entered, family, scheduled, limits)


def _payload(sent: dict[str, Any]) -> str:
    """What the function gets: nothing is an empty object, a text is JSON already."""
    payload = sent.get("Payload")
    if payload is None:
        return "{}"
    return payload if isinstance(payload, str) else text(payload)


def _compact(cause: str | None) -> str | None:
    """A cause that is JSON, without spaces: so the optimised integration tells it."""
    try:
        return None if cause is None else text(parsed(cause))
    except ValueError:
        return cause


def _response(answer: str, version: str) -> dict[str, Any]:
    """What the optimised integration makes of an invocation's answer."""
    request_id = str(uuid.uuid4())
    payload: Any = answer
    try:
        payload = parsed(answer)
    except ValueError:
        payload = answer
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
    return {
        "ExecutedVersion": version,
        "Payload": payload,
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": request_id},
        "StatusCode": 200,
    }


async def _activity(entered: Entered, arguments: Any, limits: _Limits) -> Any:
    family, branch = _Family("Activity"), entered.branch
    resource = entered.state["Resource"]
    if not branch.replaying and not branch.shared.callbacks.exists(resource):
        raise Fault("States.Runtime", f"The activity {resource} does not exist.")
    details = {"resource": resource, "input": text(arguments), "inputDetails": UNTRUNCATED}
    scheduled = family.record(entered, "Scheduled", details | limits.told())
    payload = scheduled.details["activityScheduledEventDetails"]["input"]
    with branch.shared.callbacks.expected(branch.shared.row["id"], scheduled.id):
        if branch.upcoming() == "ActivityStarted":
            branch.next_recorded()
        elif not branch.replaying and not await _taken(entered, scheduled, payload, limits):
            return _result(family.record(entered, "TimedOut", {"error": "States.Timeout"}))
        return await _answer(entered, family, scheduled, limits)


async def _taken(entered: Entered, scheduled: Event, payload: str, limits: _Limits) -> bool:
    """Whether a worker took an activity's task in time; its start is recorded then."""
    branch, scaled = entered.branch, limits.scaled(entered.branch.shared.time_scale)
    await branch.shared.flush()
    try:
        async with asyncio.timeout(_left_s(entered, scheduled, scaled)):
            worker = await branch.shared.callbacks.worker(
                branch.shared.row["id"],
                scheduled.id,
                activity=entered.state["Resource"],
                payload=payload,
            )
    except TimeoutError:
        return False
    started = {} if worker is None else {"workerName": worker}
    branch.record("ActivityStarted", "activityStartedEventDetails", started)
    return True


async def _answer(entered: Entered, family: _Family, scheduled: Event, limits: _Limits) -> Any:
    """Wait for SendTaskSuccess or SendTaskFailure."""
    branch = entered.branch
    scaled, execution = limits.scaled(branch.shared.time_scale), branch.shared.row["id"]
    if branch.replaying:
        return _waited(branch.next_recorded(), scheduled, scaled)
    await branch.shared.flush()
    try:
        async with asyncio.timeout(_left_s(entered, scheduled, scaled)):
            output, error, cause = await branch.shared.callbacks.answer(
                execution, scheduled.id, heartbeat_s=scaled.heartbeat_s
            )
    except TimeoutError:
        event = family.record(entered, "TimedOut", {"error": "States.Timeout"})
        return _waited(event, scheduled, scaled)
    if output is None:
        event = family.record(entered, "Failed", error_details(error, cause))
    else:
        event = family.record(
            entered, "Succeeded", {"output": output, "outputDetails": UNTRUNCATED}
        )
    await branch.shared.flush()
    branch.shared.callbacks.settled(execution, scheduled.id)
    return _result(event)


def _waited(event: Event, scheduled: Event, scaled: _Limits) -> Any:
    """The result of a wait. AWS's history tells a lost heartbeat as States.Timeout, but both names match it."""
    try:
        return _result(event)
    except StatesError as failure:
        waited_s = event.at_s - scheduled.at_s + TIMER_S
        whole = scaled.timeout_s is not None and waited_s >= scaled.timeout_s
        lost = scaled.heartbeat_s is not None and not whole
        failure.heartbeat = event.type.endswith("TimedOut") and lost
        raise


def _left_s(entered: Entered, scheduled: Event, scaled: _Limits) -> float | None:
    if scaled.timeout_s is None:
        return None
    return scheduled.at_s + scaled.timeout_s - entered.branch.shared.clock.wall_s()


async def _outcome(
    entered: Entered,
    family: _Family,
    invoke: Callable[[], Awaitable[str]],
    limits: _Limits,
    *,
    who: str,
    success: str = "Succeeded",
) -> Any:
    """Dispatch, unless the outcome is recorded. A task whose answer was lost with the engine is dispatched again."""
    branch = entered.branch
    if branch.replaying:
        return _result(branch.next_recorded())
    await branch.shared.flush()
    try:
        async with asyncio.timeout(limits.scaled(branch.shared.time_scale).timeout_s):
            result = await invoke()
        _check_size(result, who)
        event = family.record(entered, success, {"output": result, "outputDetails": UNTRUNCATED})
    except TimeoutError:
        event = family.record(entered, "TimedOut", {"error": "States.Timeout"})
    except StatesError as failure:
        event = family.record(entered, "Failed", error_details(failure.error, failure.cause))
    return _result(event)


def _check_size(result: str, who: str) -> None:
    if len(result.encode()) > MAX_PAYLOAD_BYTES:
        raise StatesError(
            "States.DataLimitExceeded",
            f"The state/task '{who}' returned a result with a size exceeding the maximum number of bytes"
            " service limit.",
        )


def _result(event: Event) -> Any:
    """The result that an outcome's event holds. Raise StatesError if it is a failure."""
    details: dict[str, Any] = next(iter(event.details.values()), {})
    if event.type.endswith(("Failed", "TimedOut")):
        raise StatesError(details.get("error"), details.get("cause"))
    return parsed(details["output"])
