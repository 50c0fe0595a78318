"""What an API request holds: checked by AWS's own service model, and looked up."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from orchestration.engine.errors import ApiError
from orchestration.engine.limits import MAX_NAME, MAX_PAYLOAD_BYTES
from orchestration.engine.service import StepFunctionsEngine

Parameters = dict[str, Any]
Row = dict[str, Any]
_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]+")
_MODEL = ServiceModel(Loader().load_service_model("stepfunctions", "service-2"))
_VALIDATOR = ParamValidator()
_SHORT = ("error", "cause")
"""Texts whose length is checked; the payloads' has words of its own."""
_UNSUPPORTED: dict[str, tuple[Any, ...]] = {"publish": (True,), "includedData": ("METADATA_ONLY",)}
"""What AWS would honour and this engine does not: refused rather than swallowed."""
_KINDS: dict[str, tuple[Callable[[StepFunctionsEngine, str], Awaitable[Row | None]], str]] = {
    "stateMachine": (lambda engine, arn: engine.registry.machine(arn), "State Machine"),
    "execution": (lambda engine, arn: engine.history.execution(arn), "Execution"),
    "activity": (lambda engine, arn: engine.registry.activity(arn), "Activity"),
}
"""Kind of ARN -> where its row is, and what AWS calls it."""


def check(action: str, parameters: Any) -> None:
    """Raise ApiError ValidationException if a request has not the shape that AWS publishes."""
    shape: Any = _MODEL.operation_model(action).input_shape
    known = parameters
    if isinstance(parameters, dict):  # AWS ignores what it does not know
        known = {key: value for key, value in parameters.items() if key in shape.members}
    faults = _VALIDATOR.validate(known, shape)
    if faults.has_errors():
        raise ApiError("ValidationException", faults.generate_report())
    for name, member in shape.members.items():
        given = parameters.get(name)
        longest = member.metadata.get("max")
        if name in _SHORT and isinstance(given, str) and len(given) > longest:
            told = f"'{name}' must have length less than or equal to {longest}"
            raise ApiError("ValidationException", told)
        if given in _UNSUPPORTED.get(name, ()):
            told = f"'{name}': {given!r} is not supported by this engine"
            raise ApiError("ValidationException", told)
        if given is not None and getattr(member, "enum", None) and given not in member.enum:
            told = f"'{name}' must be one of {', '.join(member.enum)}"
            raise ApiError("ValidationException", told)


def name(parameters: Parameters) -> str:
    """The `name` of a thing to be made. Raise ApiError InvalidName."""
    given: str = parameters["name"]
    if len(given) > MAX_NAME or not _NAME.fullmatch(given):
        raise ApiError("InvalidName", f"Invalid Name: '{given}'")
    return given


def execution_input(parameters: Parameters) -> str:
    """The JSON text of an execution's input. Raise ApiError if it is no JSON, or too long."""
    given = parameters.get("input", "{}")
    return _json(given, "input", "InvalidExecutionInput", "Invalid State Machine Execution Input")


def task_output(parameters: Parameters) -> str:
    """The JSON text that answers a task. Raise ApiError if it is no JSON, or too long."""
    return _json(parameters["output"], "output", "InvalidOutput", "Invalid Output")


def _json(given: str, field: str, code: str, told: str) -> str:
    if len(given.encode()) > MAX_PAYLOAD_BYTES:
        raise ApiError("ValidationException", f"'{field}' is over {MAX_PAYLOAD_BYTES} bytes")
    try:
        orjson.loads(given)
    except orjson.JSONDecodeError as error:
        raise ApiError(code, f"{told}: '{error}'") from error
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


async def existing(engine: StepFunctionsEngine, kind: str, given: str) -> Row:
    """The row of a "stateMachine", "execution" or "activity". Raise ApiError InvalidArn or ...DoesNotExist."""
    find, called = _KINDS[kind]
    row = await find(engine, arn(kind, given))
    if row is None:
        told = f"{called} Does Not Exist: '{given}'"
        raise ApiError(f"{called.replace(' ', '')}DoesNotExist", told)
    return row
