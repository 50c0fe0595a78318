"""What an API request holds: checked by AWS's own service model, and looked up."""

import re
from typing import Any

import orjson
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from orchestration.engine.errors import ApiError
from orchestration.engine.history import History
from orchestration.engine.text import MAX_PAYLOAD_BYTES

Parameters = dict[str, Any]
_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
_MODEL = ServiceModel(Loader().load_service_model("stepfunctions", "service-2"))
_VALIDATOR = ParamValidator()
_MOST = 1000
_KINDS = {"stateMachine": "StateMachine", "execution": "Execution", "activity": "Activity"}
_TOLD = {"StateMachine": "State Machine Does Not Exist", "Execution": "Execution Does Not Exist",
         "Activity": "Activity Does Not Exist"}  # fmt: skip


def check(action: str, parameters: Any) -> None:
    """Raise ApiError ValidationException if a request has not the shape that AWS publishes."""
    shape: Any = _MODEL.operation_model(action).input_shape
    faults = _VALIDATOR.validate(parameters, shape)
    if faults.has_errors():
        raise ApiError("ValidationException", faults.generate_report())
    for name, member in shape.members.items():
        given = parameters.get(name)
        if given is not None and getattr(member, "enum", None) and given not in member.enum:
            told = f"'{name}' must be one of {', '.join(member.enum)}"
            raise ApiError("ValidationException", told)


def name(parameters: Parameters) -> str:
    """The `name` of a thing to be made. Raise ApiError InvalidName."""
    given: str = parameters["name"]
    if not _NAME.fullmatch(given):
        raise ApiError("InvalidName", f"Invalid Name: '{given}'")
    return given


def execution_input(parameters: Parameters) -> str:
    """The JSON text of an execution's input. Raise ApiError if it is no JSON, or too long."""
    given: str = parameters.get("input", "{}")
    if len(given.encode()) > MAX_PAYLOAD_BYTES:
        raise ApiError("ValidationException", f"'input' is over {MAX_PAYLOAD_BYTES} bytes")
    try:
        orjson.loads(given)
    except orjson.JSONDecodeError as error:
        told = f"Invalid State Machine Execution Input: '{error}'"
        raise ApiError("InvalidExecutionInput", told) from error
    return given


def arn(kind: str, given: str) -> str:
    """An ARN of a "stateMachine", "execution" or "activity". Raise ApiError InvalidArn."""
    parts = given.split(":")
    if parts[0] != "arn" or len(parts) < 7:
        raise ApiError("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {given}'")
    if parts[5] != kind:
        told = f"Resource type not valid in this context: {parts[5]}"
        raise ApiError("InvalidArn", f"Invalid Arn: '{told}'")
    return given


def tags(parameters: Parameters) -> list[dict[str, str]]:
    """The tags of a request. Raise ApiError ValidationException if one has no key or no value."""
    given: list[dict[str, str]] = parameters.get("tags", [])
    if any(tag.keys() < {"key", "value"} for tag in given):
        raise ApiError("ValidationException", "every tag needs a 'key' and a 'value'")
    return [{"key": tag["key"], "value": tag["value"]} for tag in given]


async def existing(history: History, kind: str, given: str) -> dict[str, Any]:
    """The row of a "stateMachine", "execution" or "activity". Raise ApiError InvalidArn or ...DoesNotExist."""
    arn(kind, given)
    if kind == "stateMachine":
        row = await history.machine(given)
    else:
        row = await history.get("executions" if kind == "execution" else "activities", given)
    if row is None:
        code = _KINDS[kind]
        raise ApiError(f"{code}DoesNotExist", f"{_TOLD[code]}: '{given}'")
    return row


def page_size(parameters: Parameters) -> int:
    """How many results a page may hold; AWS's 100 if nothing, or 0, is asked for."""
    return min(parameters.get("maxResults") or 100, _MOST)


def after(parameters: Parameters) -> int:
    """The row that a page begins after, from the token of the page before it. Raise ApiError InvalidToken."""
    token = parameters.get("nextToken", "0")
    if not re.fullmatch(r"\d{1,15}", token):
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
    return int(token)
