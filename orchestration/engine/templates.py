"""Payload templates: JSON in which some values are computed. Source: Amazon States Language, "Payload Template"."""

from functools import lru_cache
from typing import Any

from orchestration.engine import intrinsic_calls, paths
from orchestration.engine.errors import Fault
from orchestration.engine.limits import MAX_CACHED
from orchestration.engine.paths import Scope
from orchestration.engine.text import text as json_text


@lru_cache(maxsize=MAX_CACHED)
def _parsed(text: str) -> intrinsic_calls.Call:
    return intrinsic_calls.parse(text)


def compute(text: str, data: Any, scope: Scope, *, field: str) -> Any:
    """The value of a path or an intrinsic function that stands in `field`."""
    if intrinsic_calls.is_call(text):
        return _called(text, data, scope)
    found = paths.find(text, data, scope)
    if paths.is_missing(found):
        raise Fault(
            "States.Runtime",
            f"The JSONPath '{text}' specified for the field '{field}' could not be found in the input"
            f" '{json_text(data)}'",
        )
    return found


def _called(text: str, data: Any, scope: Scope) -> Any:
    """The value of an intrinsic function."""
    told = f"The function '{text}' had the following error:"

    def argument(path: str) -> Any:
        found = paths.find(path, data, scope)
        if paths.is_missing(found):
            where = f"for the field '{path}' could not be found in the input '{json_text(data)}'"
            raise Fault("States.Runtime", f"{told} The JsonPath argument {where}")
        return found

    try:
        return intrinsic_calls.evaluate(_parsed(text), argument, scope.chance)
    except ValueError as error:
        raise Fault("States.IntrinsicFailure", f"{told} {error}") from error


def fill(template: Any, data: Any, scope: Scope) -> Any:
    """The template with every field that ends in .$ replaced by what its path or function gives."""
    if isinstance(template, dict):
        filled = {}
        for key, value in template.items():
            if key.endswith(".$"):
                filled[key[:-2]] = compute(value, data, scope, field=key)
            else:
                filled[key] = fill(value, data, scope)
        return filled
    if isinstance(template, list):
        return [fill(item, data, scope) for item in template]
    return template


def valid(text: str) -> bool:
    """Whether a computed value can be computed at all."""
    if intrinsic_calls.is_call(text):
        try:
            _parsed(text)
        except ValueError:
            return False
        return True
    return paths.is_path(text)
