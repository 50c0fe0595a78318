"""JSONPath and reference paths, over the input, the context object ($$) and variables ($name).

Source: Amazon States Language, "Paths", "Reference Paths"; AWS's messages.
"""

import random
import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

import jsonpath

from orchestration.engine.errors import Fault
from orchestration.engine.limits import MAX_CACHED

_REFERENCE = re.compile(r"\$(?:\.[A-Za-z_][\w-]*|\[\d+\]|\['[^']*'\]|\[\"[^\"]*\"\])*")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
_MISSING = object()


class Scope:
    """What an expression may look at besides the input: variables, the context object, chance and the time.

    The context object and chance are made when they are looked at.
    """

    def __init__(
        self,
        variables: dict[str, Any],
        context: Callable[[], dict[str, Any]],
        *,
        chance: Callable[[], random.Random] = random.Random,
        at_s: float = 0.0,
    ) -> None:
        self.variables, self._make_context = variables, context
        self._make_chance, self.at_s = chance, at_s

    @cached_property
    def chance(self) -> random.Random:
        """Where random numbers and UUIDs come from."""
        return self._make_chance()

    @cached_property
    def context(self) -> dict[str, Any]:
        """The context object."""
        return self._make_context()


@lru_cache(maxsize=MAX_CACHED)
def is_reference(path: str) -> bool:
    """Whether `path` names exactly one place, so that a value can be written there."""
    return _REFERENCE.fullmatch(path) is not None


def is_path(path: str) -> bool:
    """Whether `path` is a JSONPath that can be read."""
    inner = _VARIABLE.sub("$", path, count=1) if _VARIABLE.match(path) else path
    inner = inner.removeprefix("$") if inner.startswith("$$") else inner
    if not inner.startswith("$"):
        return False
    if is_reference(inner):
        return True
    try:
        _compiled(inner)
    except (jsonpath.JSONPathError, re.error, RecursionError):
        return False
    return True


@lru_cache(maxsize=MAX_CACHED)
def _steps(reference: str) -> tuple[str | int, ...]:
    return tuple(
        int(index) if index else (name or single or double)
        for name, index, single, double in _STEP.findall(reference)
    )


@lru_cache(maxsize=MAX_CACHED)
def _compiled(path: str) -> jsonpath.CompoundJSONPath | jsonpath.JSONPath:
    return jsonpath.compile(path)


def _find(path: str, value: Any) -> Any:
    if not is_reference(path):
        if not isinstance(value, dict | list):
            return []  # the library would take a text for JSON
        try:
            return _compiled(path).findall(value)
        except (jsonpath.JSONPathError, RecursionError) as error:
            raise Fault("States.Runtime", f"Invalid path '{path}': {error}") from error
    for step in _steps(path):
        holder: type = list if isinstance(step, int) else dict
        if not isinstance(value, holder):
            return _MISSING
        try:
            value = value[step]  # type: ignore[index]
        except LookupError:
            return _MISSING
    return value


def find(path: str, data: Any, scope: Scope) -> Any:
    """The value at `path`, or one for which `is_missing` is true. A path with a filter or wildcard gives a list."""
    if path.startswith("$$"):
        return _find(path[1:], scope.context)
    if named := _VARIABLE.match(path):
        rest = "$" + path[named.end() :]
        return _find(rest, scope.variables.get(named[1], _MISSING))
    return _find(path, data)


def is_missing(value: Any) -> bool:
    """Whether `find` found nothing."""
    return value is _MISSING


def read(path: str, data: Any, scope: Scope) -> Any:
    """The value at `path`. Raise States.Runtime, as AWS does for InputPath and its kin, if there is none."""
    found = find(path, data, scope)
    if found is _MISSING:
        steps = "".join(f"['{s}']" if isinstance(s, str) else f"[{s}]" for s in _steps(path))
        raise Fault("States.Runtime", f"Invalid path '{path}' : No results for path: ${steps}")
    return found


def write(reference: str, data: Any, value: Any) -> Any:
    """A copy of `data` with `value` at `reference`; parents that are missing are made.

    Raise States.ResultPathMatchFailure if something that is no object stands in the way.
    """
    steps = _steps(reference)
    if not steps:
        return value
    if not isinstance(data, dict) or not all(isinstance(step, str) for step in steps):
        raise _no_place(reference)
    result = place = dict(data)
    for step in steps[:-1]:
        inner = place.get(step, {})
        if not isinstance(inner, dict):
            raise _no_place(reference)
        place[step] = place = dict(inner)
    place[steps[-1]] = value
    return result


def _no_place(reference: str) -> Fault:
    return Fault(
        "States.ResultPathMatchFailure",
        f'Unable to apply step "{_steps(reference)[-1]}" to input',
    )
