"""The rules that the fields of one state must keep: paths, templates, expressions, numbers, Retry and Catch.

Source: Amazon States Language; codes and wording are AWS's where they are known.
"""

from dataclasses import dataclass
from typing import Any

from orchestration.engine import jsonata_query, jsonata_syntax, paths, templates
from orchestration.engine.choice import as_time
from orchestration.engine.choice_checks import rule_faults
from orchestration.engine.diagnostics import (
    Diagnostic,
    Faults,
    listed,
    number_faults,
    required,
    schema,
    type_faults,
)
from orchestration.engine.limits import MAX_VARIABLE_NAME
from orchestration.engine.path_syntax import is_variable_name

RETRY = {
    "ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "Comment",
}  # fmt: skip
CATCH = {"ErrorEquals", "Next", "ResultPath", "Output", "Assign", "Comment"}
_NULL_PATHS = ("InputPath", "OutputPath", "ResultPath")
_COMPUTED_PATHS = ("ErrorPath", "CausePath")
RETRY_NUMBERS: dict[str, float] = {
    "IntervalSeconds": 0, "MaxAttempts": 0, "BackoffRate": 1.0, "MaxDelaySeconds": 1,
}  # fmt: skip
STATE_NUMBERS: dict[str, float] = {
    "TimeoutSeconds": 1,
    "HeartbeatSeconds": 1,
    "Seconds": 0,
    "MaxConcurrency": 0,
}
_TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector", "Assign")
_NESTED = {"Branches", "ItemProcessor", "Iterator"}
_EITHER = [
    *((name, f"{name}Path") for name in ("TimeoutSeconds", "HeartbeatSeconds", "Error", "Cause", "MaxConcurrency")),
    ("ItemProcessor", "Iterator"),
]  # fmt: skip
"""Fields of which a state has at most one."""
_WAITS = ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")


def value_faults(state: dict[str, Any], at: str, language: str) -> Faults:
    """Faults in what a state computes."""
    yield from number_faults(state, STATE_NUMBERS, at, computed=language == "JSONata")
    for pair in _EITHER:
        if all(field in state for field in pair):
            told = f"There should only be one of the following fields: [{', '.join(pair)}]"
            yield schema(told, at)
    if state["Type"] == "Wait":
        yield from _wait_faults(state, at)
    if state["Type"] == "Choice":
        for number, rule in enumerate(state.get("Choices", [])):
            yield from rule_faults(rule, f"{at}/Choices[{number}]", language, top=True)
    yield from _variable_faults(state, at)
    if language == "JSONata":
        for key, value in state.items():
            if key not in _NESTED:
                yield from _jsonata_faults(value, f"{at}/{key}", _reach(state["Type"], key))
        return
    for field, value in state.items():
        if field.endswith("Path") and field != "ResultPath":
            yield from _path_faults(field, value, at)
    catchers = [(c, f"{at}/Catch[{n}]") for n, c in enumerate(state.get("Catch", []))]
    for holder, place in [(state, at), *catchers]:
        yield from _reference_faults(holder.get("ResultPath"), f"{place}/ResultPath")
        for field in _TEMPLATES:
            yield from _template_faults(holder.get(field), f"{place}/{field}")


def _path_faults(field: str, value: Any, at: str) -> Faults:
    if value is None and field in _NULL_PATHS:
        return
    valid = templates.valid if field in _COMPUTED_PATHS else paths.is_path
    if not isinstance(value, str) or not valid(value):
        yield schema("Value must be a valid JSONPath.", f"{at}/{field}")


def _wait_faults(state: dict[str, Any], at: str) -> Faults:
    given = [field for field in _WAITS if field in state]
    if len(given) > 1:
        yield schema(f"There should only be one of the following fields: [{', '.join(given)}]", at)
    elif not given:
        yield schema(f"One of these fields is required: [{', '.join(_WAITS)}]", at)
    timestamp = state.get("Timestamp")
    written = timestamp is not None and not jsonata_query.is_expression(timestamp)
    if written and as_time(timestamp) is None:
        yield schema("String does not match RFC3339 timestamp", f"{at}/Timestamp")


def _reference_faults(value: Any, at: str) -> Faults:
    if value is None:
        return
    if not isinstance(value, str) or not value.startswith("$"):
        yield schema("Value is not a Reference Path: Reference path didn't start with '$'", at)
    elif not paths.is_reference(value):
        yield schema("Value is not a Reference Path", at)


def _template_faults(template: Any, at: str) -> Faults:
    """AWS's place is the object that holds the field."""
    if isinstance(template, list):
        for index, item in enumerate(template):
            yield from _template_faults(item, f"{at}[{index}]")
    elif isinstance(template, dict):
        for key, value in template.items():
            if not key.endswith(".$"):
                yield from _template_faults(value, f"{at}/{key}")
            elif not isinstance(value, str) or not templates.valid(value):
                wanted = "must be a valid JSONPath or a valid intrinsic function call"
                yield schema(f"The value for the field '{key}' {wanted}", at)


def _variable_faults(state: dict[str, Any], at: str) -> Faults:
    """Faults in the names of the variables that a state, its rules and its catchers assign."""
    holders = [(state, at)]
    for field in ("Choices", "Catch"):
        holders += [(e, f"{at}/{field}[{n}]") for n, e in enumerate(listed(state, field))]
    for holder, place in holders:
        assigned = holder.get("Assign")
        for key in assigned if isinstance(assigned, dict) else ():
            if not is_variable_name(key.removesuffix(".$")):
                told = f"'{key}' is no name of a variable: at most {MAX_VARIABLE_NAME} letters, digits and _, and not 'states'"
                yield schema(told, f"{place}/Assign")


@dataclass(frozen=True, slots=True)
class _Reach:
    """What of $states an expression may look at besides input and context."""

    result: bool = False
    error_output: bool = False


def _reach(kind: str, field: str) -> _Reach:
    """Source: AWS guide, "Reserved variable: $states"."""
    has_result = kind in ("Task", "Parallel", "Map") and field in ("Assign", "Output")
    return _Reach(result=has_result, error_output=field == "Catch")


def _jsonata_faults(value: Any, at: str, reach: _Reach) -> Faults:
    if jsonata_query.is_expression(value):
        expression = value[2:-2].strip()
        if wrong := jsonata_syntax.fault(expression):
            yield Diagnostic("INVALID_JSONATA_EXPRESSION", wrong, at)
            return
        seen = jsonata_syntax.unreachable(
            expression, result=reach.result, error_output=reach.error_output
        )
        for name in seen:
            told = f"Reference to '{name}' is not supported here."
            yield Diagnostic("UNSUPPORTED_JSONATA_EXPRESSION", told, at)
        for name in jsonata_syntax.top_level_names(expression):
            told = f"Reference to '{name}' at the top level is not supported."
            yield Diagnostic("UNSUPPORTED_JSONATA_EXPRESSION", told, at)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _jsonata_faults(inner, f"{at}/{key}", reach)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _jsonata_faults(inner, f"{at}[{number}]", reach)


def try_faults(state: dict[str, Any], at: str) -> Faults:
    """Faults in Retry and Catch."""
    for field, known in (("Retry", RETRY), ("Catch", CATCH)):
        entries = listed(state, field)
        for number, entry in enumerate(entries):
            place = f"{at}/{field}[{number}]"
            if not isinstance(entry, dict):
                yield schema("Expected value of type Object", place)
                continue
            if wrong := list(type_faults(entry, place)):
                yield from wrong
                continue
            needed = ["ErrorEquals", *(["Next"] if field == "Catch" else [])]
            if missing := [name for name in needed if not entry.get(name)]:
                yield required(missing, place)
                continue
            for name in entry.keys() - known:
                yield schema(f"Field '{name}' is not supported", place)
            yield from number_faults(entry, RETRY_NUMBERS if field == "Retry" else {}, place)
            if entry.get("JitterStrategy", "FULL") not in ("FULL", "NONE"):
                yield schema("Value must be FULL or NONE", f"{place}/JitterStrategy")
            yield from _error_name_faults(entry, place, last=number == len(entries) - 1)


def _error_name_faults(entry: dict[str, Any], at: str, *, last: bool) -> Faults:
    names = entry["ErrorEquals"]
    if not all(isinstance(name, str) for name in names):
        yield schema("Expected value of type Array of String", f"{at}/ErrorEquals")
        return
    for number, name in enumerate(names):
        if name == "States.ALL" and (len(names) > 1 or not last):
            told = "States.ALL must appear alone and at end of list"
            yield schema(told, f"{at}/ErrorEquals[{number}]")
