"""The rules that a definition must keep, each fault with its place: the machine, its states and transitions.

Source: Amazon States Language; codes and wording are AWS's where they are known.
"""

import re
from collections import Counter
from typing import Any

from orchestration.engine import dispatch, tasks
from orchestration.engine.diagnostics import (
    Diagnostic,
    Faults,
    listed,
    number_faults,
    required,
    schema,
    type_faults,
)
from orchestration.engine.field_checks import try_faults, value_faults
from orchestration.engine.jsonata_query import is_expression
from orchestration.engine.limits import MAX_NAME

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
MACHINE = {"StartAt", "States", "Comment", "Version", "TimeoutSeconds", "QueryLanguage"}
PROCESSOR = {"StartAt", "States", "Comment", "ProcessorConfig"}
LANGUAGES = ("JSONPath", "JSONata")


def definition_faults(document: dict[str, Any], *, express: bool) -> Faults:
    """What is wrong with a whole definition."""
    language = document.get("QueryLanguage", "JSONPath")
    yield from _machine_faults(document, "", language, top=True, express=express)
    yield from number_faults(document, {"TimeoutSeconds": 0}, "")
    if language not in LANGUAGES:
        yield schema(f"Value must be one of {', '.join(LANGUAGES)}", "/QueryLanguage")
    counts = Counter(_names(document))
    for name in (name for name, count in counts.items() if count > 1):
        yield Diagnostic("DUPLICATE_STATE_NAME", f"Duplicate State name: {name}", f"/States/{name}")


def _names(machine: Any) -> list[str]:
    """Every state name of a machine and of what is in it."""
    states = machine.get("States") if isinstance(machine, dict) else None
    if not isinstance(states, dict):
        return []
    found = list(states)
    for state in (state for state in states.values() if isinstance(state, dict)):
        inner = [*listed(state, "Branches"), state.get("ItemProcessor"), state.get("Iterator")]
        found += [name for machine in inner for name in _names(machine)]
    return found


def _machine_faults(
    machine: Any, at: str, language: str, *, top: bool = False, express: bool = False
) -> Faults:
    """What is wrong with a machine: the whole one (`top`), a branch or an item processor at the place `at`."""
    if not isinstance(machine, dict):
        yield schema("Expected value of type Object", at)
        return
    if missing := [name for name in ("StartAt", "States") if name not in machine]:
        yield required(missing, at)
        return
    for name in machine.keys() - (MACHINE if top else PROCESSOR):
        yield schema(f"Field '{name}' is not supported", at)
    if wrong := list(type_faults(machine, at)):
        yield from wrong
        return
    states = machine["States"]
    if not states:
        yield schema("Expected value of type Object with at least one state", f"{at}/States")
        return
    for field in machine.get("ProcessorConfig", {}).keys() - {"Mode", "ExecutionType"}:
        yield schema(f"Field '{field}' is not supported", f"{at}/ProcessorConfig")
    if machine.get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
        told = "Distributed Map is not supported: Mode must be INLINE"
        yield schema(told, f"{at}/ProcessorConfig/Mode")
    whole = True
    for name, state in states.items():
        place = f"{at}/States/{name}"
        if shapes := list(_shape_faults(name, state, place)):
            whole = False
            yield from shapes
        else:
            yield from _state_faults(state, place, language, express=express)
    if whole:
        yield from _graph_faults(machine["StartAt"], states, at)


def _shape_faults(name: str, state: Any, at: str) -> Faults:
    """What must be right before the rest of a state can be looked at."""
    if not isinstance(state, dict):
        yield schema("Expected value of type Object", at)
        return
    if wrong := list(type_faults(state, at)):
        yield from wrong
        return
    if state.get("Type") not in FIELDS:
        yield schema(f"Type must be one of {', '.join(FIELDS)}", f"{at}/Type")
        return
    if not 1 <= len(name) <= MAX_NAME:
        limit = f"the {MAX_NAME}-character limit allowed by the service"
        told = f"Invalid State name: State '{name}' exceeds {limit}"
        yield Diagnostic("INVALID_STATE_NAME", told, at)
    yield from try_faults(state, at)
    if state["Type"] == "Choice" and not listed(state, "Choices"):
        yield required(["Choices"], at)
    for number, rule in enumerate(listed(state, "Choices")):
        if not isinstance(rule, dict):
            yield schema("Expected value of type Object", f"{at}/Choices[{number}]")


def _state_faults(state: dict[str, Any], at: str, language: str, *, express: bool) -> Faults:
    spoken = state.get("QueryLanguage", language)
    if language == "JSONata" and spoken == "JSONPath":
        told = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
        yield schema(told, at)
        return
    if spoken not in LANGUAGES:
        yield schema(f"Value must be one of {', '.join(LANGUAGES)}", f"{at}/QueryLanguage")
        return
    kind = state["Type"]
    for field in state.keys() - FIELDS[kind]:
        yield schema(f"Field '{field}' is not supported", at)
    yield from _language_faults({f: v for f, v in state.items() if f in FIELDS[kind]}, at, spoken)
    for field in ("Catch", "Choices"):
        for number, entry in enumerate(listed(state, field)):
            yield from _language_faults(entry, f"{at}/{field}[{number}]", spoken)
    if kind not in ("Choice", "Succeed", "Fail") and ("Next" in state) == (
        state.get("End") is True
    ):
        yield schema("A state needs either Next or End: true", at)
    yield from value_faults(state, at, spoken)
    if kind == "Task":
        yield from _invocation_faults(state, at)
        yield from _resource_faults(state.get("Resource"), f"{at}/Resource", express=express)
    elif kind == "Parallel":
        if not state.get("Branches"):
            yield required(["Branches"], at)
        for number, branch in enumerate(listed(state, "Branches")):
            yield from _machine_faults(
                branch, f"{at}/Branches[{number}]", language, express=express
            )
    elif kind == "Map":
        field = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        yield from _machine_faults(state.get(field), f"{at}/{field}", language, express=express)


def _language_faults(holder: dict[str, Any], at: str, spoken: str) -> Faults:
    """Fields of the other query language."""
    other, foreign = ("JSONPath", _ONLY_PATH) if spoken == "JSONata" else ("JSONata", _ONLY_JSONATA)
    for field in holder:
        if field in foreign:
            told = f"field '{field}' is only supported for the '{other}' QueryLanguage"
            yield schema(f"The QueryLanguage is set to '{spoken}', but {told}", at)


def _resource_faults(resource: Any, at: str, *, express: bool) -> Faults:
    if express and isinstance(resource, str) and re.search(r"\.sync(:2)?$", resource):
        yield schema("Express state machine does not support '.sync' service integration", at)
    elif not isinstance(resource, str) or not tasks.is_supported(resource):
        told = f"Resource is not supported: '{resource}'. Use {tasks.SUPPORTED}"
        yield schema(told, at)
    elif express and tasks.ACTIVITY.fullmatch(resource):
        yield schema("Express state machine does not support Activity ARN", at)
    elif express and resource.endswith(dispatch.CALLBACK):
        told = "Express state machine does not support '.waitForTaskToken' service integration"
        yield schema(told, at)


def _invocation_faults(state: dict[str, Any], at: str) -> Faults:
    """What lambda:invoke is asked for and this engine would not do."""
    resource = state.get("Resource")
    if not isinstance(resource, str) or not tasks.INVOKE.fullmatch(resource):
        return
    for field in ("Parameters", "Arguments"):
        given = state.get(field)
        for key, value in given.items() if isinstance(given, dict) else ():
            name = key.removesuffix(".$")
            if name not in tasks.INVOKE_FIELDS:
                told = f"The field '{name}' is not supported by lambda:invoke here: use {', '.join(tasks.INVOKE_FIELDS)}"
                yield schema(told, f"{at}/{field}")
            elif key == "InvocationType" and not (
                value in tasks.INVOCATION_TYPES or is_expression(value)
            ):
                told = f"InvocationType '{value}' is not supported: use {' or '.join(tasks.INVOCATION_TYPES)}"
                yield schema(told, f"{at}/{field}/InvocationType")


def _graph_faults(start: Any, states: dict[str, Any], at: str) -> Faults:
    """Transitions that lead nowhere, states that none leads to, a machine that cannot end."""
    targets = [(start, f"{at}/StartAt")]
    for name, state in states.items():
        targets += _targets(state, f"{at}/States/{name}")
    for target, place in targets:
        if target not in states:
            told = f"Missing 'Next' target: {target}"
            yield Diagnostic("MISSING_TRANSITION_TARGET", told, place)
    if not any(s.get("End") is True or s["Type"] in ("Succeed", "Fail") for s in states.values()):
        yield Diagnostic("MISSING_END_STATE", "Workflow has no terminal state")
        return
    for name in states.keys() - {target for target, _ in targets}:
        told = f'State "{name}" is not reachable.'
        yield Diagnostic("MISSING_TRANSITION_TARGET", told, f"{at}/States/{name}")


def _targets(state: dict[str, Any], at: str) -> list[tuple[Any, str]]:
    """(state that a state leads to, where it says so)."""
    found = [(state["Next"], f"{at}/Next")] if "Next" in state else []
    found += [(state["Default"], f"{at}/Default")] if "Default" in state else []
    for field in ("Choices", "Catch"):
        entries = enumerate(listed(state, field))
        found += [(e["Next"], f"{at}/{field}[{n}]/Next") for n, e in entries if "Next" in e]
    return [(target, place) for target, place in found if isinstance(target, str)]
