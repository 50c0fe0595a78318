"""Values as AWS writes them in histories."""

import json
from typing import Any

import orjson

UNTRUNCATED = {"truncated": False}
MAX_PAYLOAD_BYTES = 262_144


def text(value: Any) -> str:
    """A value as compact JSON."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # integers over 64 bits
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def error_details(error: str | None, cause: str | None) -> dict[str, Any]:
    """Error and cause, each only if it is there."""
    found = {"error": error, "cause": cause}
    return {key: value for key, value in found.items() if value is not None}


def parsed(value: str) -> Any:
    """JSON text as a value."""
    return json.loads(value)
