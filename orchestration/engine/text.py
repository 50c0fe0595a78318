"""Values as AWS writes them in histories."""

import json
import math
from typing import Any

import orjson

from orchestration.engine.errors import StatesError
from orchestration.engine.limits import MAX_PAYLOAD_BYTES

UNTRUNCATED = {"truncated": False}


def text(value: Any) -> str:
    """A value as compact JSON."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # integers over 64 bits, or what is no text
        written = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError as error:
        raise StatesError("States.Runtime", f"A text is no Unicode: {error}") from error
    return written


def strictly(written: str) -> Any:
    """JSON text as a value. Raise ValueError for what is no JSON although Python takes it: NaN, Infinity, 1e400, a lone surrogate."""
    value = json.loads(written, parse_constant=_no_number, parse_float=_finite)
    if "\\u" in written:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large for a number")
    return number


def fitting(payload: str, *, who: str, did: str, error: type[StatesError] = StatesError) -> str:
    """A payload that is not too big. Raise `error` States.DataLimitExceeded, with AWS's words, if it is."""
    if len(payload.encode()) > MAX_PAYLOAD_BYTES:
        raise error(
            "States.DataLimitExceeded",
            f"The state/task '{who}' {did} with a size exceeding the maximum number of bytes service limit.",
        )
    return payload


def error_details(error: str | None, cause: str | None) -> dict[str, Any]:
    """Error and cause, each only if it is there."""
    found = {"error": error, "cause": cause}
    return {key: value for key, value in found.items() if value is not None}


def parsed(value: str) -> Any:
    """JSON text as a value."""
    return json.loads(value)
