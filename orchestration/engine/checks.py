"""The rules that a definition must keep, each fault with its place.

Source: Amazon States Language; the wording is AWS's where it is known.
"""

import re
from collections.abc import Iterator
from typing import Any

from orchestration.engine import jsonata_query, paths, tasks, templates
from orchestration.engine.choice import OPERATORS, as_time

_COMMON = {"Type", "Comment", "QueryLanguage"}
_NEXT = {"Next", "End"}
_PATHS = {"InputPath", "OutputPath"}
_RESULT = {"Parameters", "ResultSelector", "ResultPath", "Arguments", "Output", "Assign"}
_TRY = {"Retry", "Catch"}
FIELDS: dict[str, set[str]] = {
    "Task": _COMMON | _NEXT | _PATHS | _RESULT | _TRY | {
        "Resource", "TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath",
    },
    "Pass": _COMMON | _NEXT | _PATHS | {"Result", "Parameters", "ResultPath", "Output", "Assign"},
    "Choice": _COMMON | _PATHS | {"Choices", "Default", "Output", "Assign"},
    "Wait": _COMMON | _NEXT | _PATHS | {
        "Seconds", "SecondsPath", "Timestamp", "TimestampPath", "Output", "Assign",
    },
    "Succeed": _COMMON | _PATHS | {"Output"},
    "Fail": _COMMON | {"Error", "Cause", "ErrorPath", "CausePath"},
    "Parallel": _COMMON | _NEXT | _PATHS | _RESULT | _TRY | {"Branches"},
    "Map": _COMMON | _NEXT | _PATHS | _RESULT | _TRY | {
        "ItemProcessor", "Iterator", "ItemsPath", "Items", "ItemSelector", "MaxConcurrency", "MaxConcurrencyPath",
    },
}  # fmt: skip
"""State type -> fields that this engine runs."""
_ONLY_PATH = _PATHS | {
    "Parameters", "ResultSelector", "ResultPath", "Result", "SecondsPath", "TimestampPath", "ErrorPath",
    "CausePath", "TimeoutSecondsPath", "HeartbeatSecondsPath", "ItemsPath", "MaxConcurrencyPath", "Iterator",
}  # fmt: skip
_ONLY_JSONATA = {"Arguments", "Output", "Items"}
_RETRY = {
    "ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "Comment",
}  # fmt: skip
_CATCH = {"ErrorEquals", "Next", "ResultPath", "Output", "Assign", "Comment"}
_NAME = re.compile(r".{1,80}", re.DOTALL)

Fault = tuple[str, str]
"""(message, place)."""


def machine_faults(
    machine: Any, at: str, language: str, *, top: bool = False, express: bool = False
) -> Iterator[Fault]:
    """What is wrong with a machine: the whole one (`top`), a branch or an item processor at the place `at`."""
    if not isinstance(machine, dict):
        yield "Expected value of type Object", at or "/"
        return
    missing = [name for name in ("StartAt", "States") if name not in machine]
    if missing:
        yield f"These fields are required: [{', '.join(missing)}]", at or "/"
        return
    known = {"StartAt", "States", "Comment", "QueryLanguage"}
    known |= {"Version", "TimeoutSeconds"} if top else {"ProcessorConfig"}
    for name in machine.keys() - known:
        yield "Field is not supported", f"{at}/{name}"
    states = machine["States"]
    if not isinstance(states, dict) or not states:
        yield "Expected value of type Object with at least one state", f"{at}/States"
        return
    if machine["StartAt"] not in states:
        yield (
            f"MISSING_TRANSITION_TARGET: Missing 'StartAt' target: {machine['StartAt']}",
            f"{at}/StartAt",
        )
    if machine.get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
        yield "Distributed Map is not supported: Mode must be INLINE", f"{at}/ProcessorConfig/Mode"
    for name, state in states.items():
        yield from _state_faults(
            name, state, f"{at}/States/{name}", states, language, express=express
        )


def _state_faults(
    name: str, state: Any, at: str, states: dict[str, Any], language: str, *, express: bool
) -> Iterator[Fault]:
    if not isinstance(state, dict) or state.get("Type") not in FIELDS:
        yield f"Type must be one of {', '.join(FIELDS)}", f"{at}/Type"
        return
    if not _NAME.fullmatch(name):
        yield "State names have 1 to 80 characters", at
    spoken = state.get("QueryLanguage", language)
    if language == "JSONata" and spoken == "JSONPath":
        yield (
            "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
            at,
        )
        return
    if spoken not in ("JSONPath", "JSONata"):
        yield "QueryLanguage must be JSONPath or JSONata", f"{at}/QueryLanguage"
        return
    kind = state["Type"]
    wrong = FIELDS[kind] & (_ONLY_PATH if spoken == "JSONata" else _ONLY_JSONATA)
    for field in state.keys() - (FIELDS[kind] - wrong):
        yield f"Field is not supported in a {kind} state of {spoken}", f"{at}/{field}"
    shape = list(_shape_faults(state, at))
    yield from shape
    if shape:
        return
    yield from _target_faults(state, at, states)
    yield from _expression_faults(state, at, spoken)
    for field in ("TimeoutSeconds", "HeartbeatSeconds"):
        value = state.get(field, 1)
        if not jsonata_query.is_expression(value) and not _at_least(value, 1):
            yield "Value must be a number of at least 1", f"{at}/{field}"
    yield from _kind_faults(state, at, spoken, express=express)


def _kind_faults(state: dict[str, Any], at: str, spoken: str, *, express: bool) -> Iterator[Fault]:
    kind = state["Type"]
    if kind == "Task":
        yield from _resource_faults(state.get("Resource"), f"{at}/Resource", express=express)
    elif kind == "Wait":
        yield from _wait_faults(state, at)
    elif kind == "Choice":
        for number, rule in enumerate(state.get("Choices", [])):
            yield from _rule_faults(rule, f"{at}/Choices[{number}]", spoken, top=True)
    elif kind == "Parallel":
        if not state.get("Branches"):
            yield "These fields are required: [Branches]", at
        for number, branch in enumerate(state.get("Branches", [])):
            yield from machine_faults(branch, f"{at}/Branches[{number}]", spoken, express=express)
    elif kind == "Map":
        field = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        yield from machine_faults(state.get(field), f"{at}/{field}", spoken, express=express)


def _resource_faults(resource: Any, at: str, *, express: bool) -> Iterator[Fault]:
    if not isinstance(resource, str) or not tasks.is_supported(resource):
        yield f"Resource is not supported: use {tasks.SUPPORTED}", at
    elif express and tasks.ACTIVITY.fullmatch(resource):
        yield "Express state machine does not support Activity ARN", at
    elif express and resource.endswith(tasks.CALLBACK):
        yield "Express state machine does not support '.waitForTaskToken' service integration", at


def _wait_faults(state: dict[str, Any], at: str) -> Iterator[Fault]:
    given = [f for f in ("Seconds", "SecondsPath", "Timestamp", "TimestampPath") if f in state]
    if len(given) != 1:
        yield (
            "A Wait state needs exactly one of Seconds, SecondsPath, Timestamp and TimestampPath",
            at,
        )
    timestamp = state.get("Timestamp")
    if (
        timestamp is not None
        and not jsonata_query.is_expression(timestamp)
        and as_time(timestamp) is None
    ):
        yield "String does not match RFC3339 timestamp", f"{at}/Timestamp"


def _shape_faults(state: dict[str, Any], at: str) -> Iterator[Fault]:
    """What must be right before the rest of a state can be looked at."""
    for field, known in (("Retry", _RETRY), ("Catch", _CATCH)):
        for number, entry in enumerate(_listed(state, field)):
            yield from _try_faults(entry, known, f"{at}/{field}[{number}]")
    for number, rule in enumerate(_listed(state, "Choices")):
        if not isinstance(rule, dict):
            yield "Expected value of type Object", f"{at}/Choices[{number}]"


def _listed(state: dict[str, Any], field: str) -> list[Any]:
    value = state.get(field, [])
    return value if isinstance(value, list) else [value]


def _target_faults(state: dict[str, Any], at: str, states: dict[str, Any]) -> Iterator[Fault]:
    targets = [
        (c.get("Next"), f"{at}/Catch[{n}]/Next") for n, c in enumerate(state.get("Catch", []))
    ]
    kind = state["Type"]
    if kind == "Choice":
        targets += [
            (r.get("Next"), f"{at}/Choices[{n}]/Next")
            for n, r in enumerate(state.get("Choices", []))
        ]
        targets += [(state["Default"], f"{at}/Default")] if "Default" in state else []
        if not state.get("Choices"):
            yield "These fields are required: [Choices]", at
    elif kind not in ("Succeed", "Fail"):
        if ("Next" in state) == (state.get("End") is True):
            yield "A state needs either Next or End: true", at
        elif "Next" in state:
            targets.append((state["Next"], f"{at}/Next"))
    for target, place in targets:
        if target not in states:
            yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target}", place


def _expression_faults(state: dict[str, Any], at: str, language: str) -> Iterator[Fault]:
    if language == "JSONata":
        yield from _jsonata_faults({k: v for k, v in state.items() if k not in _NESTED}, at)
        return
    for field in (
        "InputPath",
        "OutputPath",
        "ItemsPath",
        *(f for f in FIELDS[state["Type"]] if f.endswith("Path")),
    ):
        value = state.get(field)
        computed = isinstance(value, str) and templates.valid(value)
        if value is not None and not computed:
            yield "Value is not a Path", f"{at}/{field}"
    for holder, place in [
        (state, at),
        *((c, f"{at}/Catch[{n}]") for n, c in enumerate(state.get("Catch", []))),
    ]:
        value = holder.get("ResultPath")
        if value is not None and not (isinstance(value, str) and paths.is_reference(value)):
            yield "Value is not a Reference Path", f"{place}/ResultPath"
        for field in ("Parameters", "ResultSelector", "ItemSelector", "Assign"):
            yield from templates.faults(holder.get(field), f"{place}/{field}")


_NESTED = {"Branches", "ItemProcessor", "Iterator"}


def _jsonata_faults(value: Any, at: str) -> Iterator[Fault]:
    if jsonata_query.is_expression(value):
        if wrong := jsonata_query.check(value):
            yield f"Invalid JSONata expression: {wrong}", at
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _jsonata_faults(inner, f"{at}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _jsonata_faults(inner, f"{at}[{number}]")


def _try_faults(entry: Any, known: set[str], at: str) -> Iterator[Fault]:
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("ErrorEquals"), list)
        or not entry["ErrorEquals"]
    ):
        yield "These fields are required: [ErrorEquals]", at
        return
    for field in entry.keys() - known:
        yield "Field is not supported", f"{at}/{field}"
    for field, least in _NUMBERS.items():
        if field in entry and not _at_least(entry[field], least):
            yield f"Value must be a number of at least {least}", f"{at}/{field}"


_NUMBERS = {"IntervalSeconds": 1, "MaxAttempts": 0, "BackoffRate": 1, "MaxDelaySeconds": 1}


def _at_least(value: Any, least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= least


def _rule_faults(rule: Any, at: str, language: str, *, top: bool) -> Iterator[Fault]:
    if not isinstance(rule, dict):
        yield "Expected value of type Object", at
        return
    if top and "Next" not in rule:
        yield "These fields are required: [Next]", at
    if language == "JSONata":
        if "Condition" not in rule:
            yield "These fields are required: [Condition]", at
        return
    for name in ("And", "Or"):
        if name in rule:
            for number, inner in enumerate(rule[name]):
                yield from _rule_faults(inner, f"{at}/{name}[{number}]", language, top=False)
            return
    if "Not" in rule:
        yield from _rule_faults(rule["Not"], f"{at}/Not", language, top=False)
        return
    operators = rule.keys() & OPERATORS
    if "Variable" not in rule or len(operators) != 1:
        yield "A Choice rule needs Variable and exactly one comparison", at
    elif unknown := rule.keys() - OPERATORS - {"Variable", "Next", "Comment", "Assign", "Output"}:
        yield f"Field is not supported: {', '.join(sorted(unknown))}", at
