"""Values as AWS writes them in histories."""

import json
from typing import Any

import orjson

from orchestration.engine.errors import StatesError
from orchestration.engine.limits import MAX_PAYLOAD_BYTES

UNTRUNCATED = {"truncated": False}


def text(value: Any) -> str:
    """A value as compact JSON."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # integers over 64 bits
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


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
