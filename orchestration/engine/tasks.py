"""Task states: which resources there are, and calls of Lambda functions."""

import re
import uuid
from typing import Any

import orjson

from orchestration.engine import integrations, waited_tasks
from orchestration.engine.dispatch import CALLBACK, carried_out, outcome
from orchestration.engine.entered import Entered
from orchestration.engine.errors import Fault, StatesError
from orchestration.engine.task_events import REGION, Family, Limits, limits_of
from orchestration.engine.text import UNTRUNCATED, fitting, parsed, text

LAMBDA = re.compile(r"arn:aws[\w-]*:lambda:[a-z0-9-]*:\d{12}:function:([\w-]{1,140})(?::[\w$-]+)?")
ACTIVITY = re.compile(r"arn:aws[\w-]*:states:[a-z0-9-]*:\d{12}:activity:.+")
INVOKE = re.compile(
    r"arn:aws[\w-]*:states:[a-z0-9-]*:(?:\d{12})?:lambda:invoke(\.waitForTaskToken)?"
)
SUPPORTED = ", ".join(
    [
        "a Lambda function's ARN",
        f"states:::lambda:invoke (also {CALLBACK})",
        *integrations.supported(),
        "an activity's ARN",
    ]
)
INVOKE_FIELDS = ("FunctionName", "Payload", "Qualifier", "InvocationType", "LogType")
EVENT, REQUEST_RESPONSE = "Event", "RequestResponse"
INVOCATION_TYPES = (REQUEST_RESPONSE, EVENT)


def is_supported(resource: str) -> bool:
    """Whether this engine can carry out tasks of this resource."""
    return (
        any(kind.fullmatch(resource) for kind in (LAMBDA, ACTIVITY, INVOKE))
        or integrations.called_by(resource) is not None
    )


async def run(entered: Entered) -> Any:
    """One attempt at a task: its result. Raise StatesError once its failure is recorded."""
    resource, branch = entered.state["Resource"], entered.branch
    callback = resource.endswith(CALLBACK)
    token = None
    if callback:
        token = branch.shared.callbacks.token(branch.shared.row["id"], branch.shared.next_id())
    scope = entered.scope(token=token)
    arguments = entered.query.arguments(entered.state, entered.data, scope)
    given = fitting(text(arguments), who=entered.name, did="provided parameters")
    limits = limits_of(entered)
    if LAMBDA.fullmatch(resource):
        return await _function(entered, given, limits)
    if ACTIVITY.fullmatch(resource):
        return await waited_tasks.activity(entered, given, limits)
    if not INVOKE.fullmatch(resource):
        return await integrations.run(entered, arguments, limits)
    if not isinstance(arguments, dict) or not isinstance(arguments.get("FunctionName"), str):
        raise Fault("States.Runtime", "The field 'FunctionName' is required but was missing")
    if (kind := arguments.get("InvocationType", REQUEST_RESPONSE)) not in INVOCATION_TYPES:
        told = f"InvocationType {text(kind)} is not supported: use {' or '.join(INVOCATION_TYPES)}"
        raise Fault("States.Runtime", told)
    return await _invoke(entered, given, limits, callback=callback)


async def _function(entered: Entered, given: str, limits: Limits) -> Any:
    family, resource = Family("LambdaFunction"), entered.state["Resource"]
    details = {"resource": resource, "input": given, "inputDetails": UNTRUNCATED}
    scheduled = family.record(entered, "Scheduled", details | limits.told())
    family.record(entered, "Started", {})
    payload = scheduled.details["lambdaFunctionScheduledEventDetails"]["input"]

    async def invoke() -> str:
        return await _answer(entered, resource, payload)

    return await outcome(entered, family, invoke, limits, who=resource)


async def _invoke(entered: Entered, given: str, limits: Limits, *, callback: bool) -> Any:
    action = f"invoke{CALLBACK}" if callback else "invoke"
    family = Family("Task", {"resource": action, "resourceType": "lambda"})
    details = {"parameters": given, "region": REGION} | limits.told()
    scheduled = family.record(entered, "Scheduled", details)
    family.record(entered, "Started", {})
    sent = parsed(scheduled.details["taskScheduledEventDetails"]["parameters"])
    function = sent["FunctionName"]
    if "Qualifier" in sent:
        function += f":{sent['Qualifier']}"

    async def invoke() -> str:
        if sent.get("InvocationType") == EVENT:
            branch = entered.branch
            branch.shared.callbacks.left_alone(branch.shared.invoke(function, _payload(sent)))
            return text(_response("", None, status=202))
        try:
            answer = await _answer(entered, function, _payload(sent))
        except StatesError as failure:
            raise StatesError(failure.error, _compact(failure.cause)) from failure
        response = _response(parsed(answer), sent.get("Qualifier", "$LATEST"))
        if sent.get("LogType") == "Tail":
            response["LogResult"] = ""
        return text(response)

    return await carried_out(
        entered, family, scheduled, invoke, limits, who="lambda", callback=callback
    )


async def _answer(entered: Entered, function: str, payload: str) -> str:
    """What a function answers: JSON. Raise StatesError if it is none."""
    answer = await entered.branch.shared.invoke(function, payload)
    try:
        orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        told = f"The function's answer is not JSON: {error}"
        raise StatesError("Lambda.Unknown", told) from error
    return answer


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


def _response(answer: Any, version: str | None, *, status: int = 200) -> dict[str, Any]:
    """What the optimised integration makes of an invocation's answer. An Event is taken (202), and has no version."""
    request_id = str(uuid.uuid4())
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
    executed = {} if version is None else {"ExecutedVersion": version}
    return executed | {
        "Payload": answer,
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": status,
        },
        "SdkResponseMetadata": {"RequestId": request_id},
        "StatusCode": status,
    }
