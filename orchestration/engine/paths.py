"""JSONPath and reference paths, over the input, the context object ($$) and variables ($name).

Source: Amazon States Language, "Paths", "Reference Paths"; AWS's messages.
"""

import random
import re
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any

import jsonpath

from orchestration.engine.bounded_regex import matches
from orchestration.engine.errors import Fault
from orchestration.engine.limits import MAX_CACHED
from orchestration.engine.path_syntax import CONTEXT, INPUT, FromEnd, NoPath, parse

MISSING = object()
"""What `find` gives where there is nothing."""


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


class _Environment(jsonpath.JSONPathEnvironment):
    """The library, with regular expressions that cannot stop the engine."""

    def compare(self, left: object, operator: str, right: object) -> bool:
        """See JSONPathEnvironment."""
        if operator == "=~" and isinstance(left, str) and isinstance(right, re.Pattern):
            return matches(right, left)
        return bool(super().compare(left, operator, right))


_ENVIRONMENT = _Environment()


def is_reference(path: str) -> bool:
    """Whether `path` names exactly one place in the input, so that a value can be written there."""
    try:
        found = parse(path)
    except NoPath:
        return False
    return found.writable and found.root == INPUT


def is_path(path: str) -> bool:
    """Whether `path` is a JSONPath that can be read."""
    try:
        found = parse(path)
        if found.rest:
            _compiled(found.rest)
    except (NoPath, jsonpath.JSONPathError, re.error, RecursionError):
        return False
    return True


@lru_cache(maxsize=MAX_CACHED)
def _compiled(rest: str) -> jsonpath.CompoundJSONPath | jsonpath.JSONPath:
    return _ENVIRONMENT.compile("$" + rest)


def _step_into(value: Any, step: str | int | FromEnd) -> Any:
    if isinstance(step, str):
        return value.get(step, MISSING) if isinstance(value, dict) else MISSING
    if not isinstance(value, list):
        return MISSING
    index = len(value) - step.n if isinstance(step, FromEnd) else step
    return value[index] if 0 <= index < len(value) else MISSING


def find(path: str, data: Any, scope: Scope) -> Any:
    """The value at `path`, or one for which `is_missing` is true. A path with a filter or wildcard gives a list."""
    found = parse(path)
    if found.root == CONTEXT:
        value: Any = scope.context
    elif found.root == INPUT:
        value = data
    else:
        value = scope.variables.get(found.root, MISSING)
    for step in found.steps:
        value = _step_into(value, step)
        if value is MISSING:
            return MISSING if found.definite else []  # so AWS recorded it
    if found.definite or value is MISSING:
        return value
    if not isinstance(value, dict | list):
        return []  # the library would take a text for JSON
    try:
        return _compiled(found.rest).findall(value)
    except (jsonpath.JSONPathError, RecursionError) as error:
        raise Fault("States.Runtime", f"Invalid path '{path}': {error}") from error


def is_missing(value: Any) -> bool:
    """Whether `find` found nothing."""
    return value is MISSING


def read(path: str, data: Any, scope: Scope) -> Any:
    """The value at `path`. Raise States.Runtime, as AWS does for InputPath and its kin, if there is none."""
    found = find(path, data, scope)
    if found is MISSING:
        steps = "".join(f"['{s}']" if isinstance(s, str) else f"[{s}]" for s in parse(path).steps)
        raise Fault("States.Runtime", f"Invalid path '{path}' : No results for path: ${steps}")
    return found


def write(reference: str, data: Any, value: Any) -> Any:
    """A copy of `data` with `value` at `reference`; objects that are missing are made, elements of arrays are not.

    Raise States.ResultPathMatchFailure if something else stands in the way.
    """
    return _written(reference, parse(reference).steps, data, value)


def _written(reference: str, steps: Sequence[str | int | FromEnd], holder: Any, value: Any) -> Any:
    if not steps:
        return value
    step, *others = steps
    if isinstance(step, str) and isinstance(holder, dict):
        inner = holder.get(step, {})
        return {**holder, step: _written(reference, others, inner, value)}
    if isinstance(step, int) and isinstance(holder, list) and step < len(holder):
        inner = _written(reference, others, holder[step], value)
        return [*holder[:step], inner, *holder[step + 1 :]]
    raise Fault("States.ResultPathMatchFailure", f'Unable to apply step "{steps[-1]}" to input')
