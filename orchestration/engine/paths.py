"""JSONPath, reference paths and payload templates.

Source: Amazon States Language, "Paths", "Reference Paths", "Payload Template".
"""

import re
from functools import lru_cache
from typing import Any

import jsonpath

from orchestration.engine.errors import StatesError

_REFERENCE = re.compile(r"\$(?:\.[A-Za-z_][\w-]*|\[\d+\]|\['[^']*'\])*")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']*)'\]")
_MISSING = object()


def is_reference(path: str) -> bool:
    """Whether `path` names exactly one place, so that a value can be written there."""
    return _REFERENCE.fullmatch(path) is not None


def is_path(path: str) -> bool:
    """Whether `path` is a JSONPath that can be read, on the input or ($$) on the context object."""
    inner = path.removeprefix("$") if path.startswith("$$") else path
    if is_reference(inner):
        return True
    try:
        _compiled(inner)
    except jsonpath.JSONPathError:
        return False
    return inner.startswith("$")


@lru_cache(maxsize=4096)
def _steps(reference: str) -> tuple[str | int, ...]:
    return tuple(
        int(index) if index else (name or quoted)
        for name, index, quoted in _STEP.findall(reference)
    )


@lru_cache(maxsize=4096)
def _compiled(path: str) -> jsonpath.CompoundJSONPath | jsonpath.JSONPath:
    return jsonpath.compile(path)


def _find(path: str, value: Any) -> Any:
    if not is_reference(path):
        found = _compiled(path).findall(value)
        return found or _MISSING
    for step in _steps(path):
        match step, value:
            case int(index), list() if index < len(value):
                value = value[index]
            case str(name), dict() if name in value:
                value = value[name]
            case _:
                return _MISSING
    return value


def read(path: str, data: Any, context: Any) -> Any:
    """The value at `path`. Raise States.ParameterPathFailure if there is none."""
    found = find(path, data, context)
    if found is _MISSING:
        raise StatesError(
            "States.ParameterPathFailure",
            f"The JSONPath '{path}' could not be found in the input",
        )
    return found


def find(path: str, data: Any, context: Any) -> Any:
    """Like `read`, but a value for which `is_missing` is true if there is none."""
    return _find(path[1:], context) if path.startswith("$$") else _find(path, data)


def is_missing(value: Any) -> bool:
    """Whether `find` found nothing."""
    return value is _MISSING


def write(reference: str, data: Any, value: Any) -> Any:
    """A copy of `data` with `value` at `reference`; parents that are missing are made.

    Raise States.ResultPathMatchFailure if something that is no object stands in the way.
    """
    steps = _steps(reference)
    if not steps:
        return value
    if not isinstance(data, dict) or not all(isinstance(step, str) for step in steps):
        raise StatesError(
            "States.ResultPathMatchFailure",
            f"Unable to apply ReferencePath {reference} to the input",
        )
    result = place = dict(data)
    for step in steps[:-1]:
        inner = place.get(step, {})
        if not isinstance(inner, dict):
            raise StatesError(
                "States.ResultPathMatchFailure",
                f"Unable to apply ReferencePath {reference} to the input",
            )
        place[step] = place = dict(inner)
    place[steps[-1]] = value
    return result


def fill(template: Any, data: Any, context: Any) -> Any:
    """A payload template with every `name.$` field replaced by what its path finds."""
    if isinstance(template, dict):
        return {
            (key.removesuffix(".$")): (
                read(value, data, context) if key.endswith(".$") else fill(value, data, context)
            )
            for key, value in template.items()
        }
    if isinstance(template, list):
        return [fill(item, data, context) for item in template]
    return template
