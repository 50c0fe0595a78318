"""A state machine definition, checked before it is accepted.

This engine refuses what it cannot run, and says what it can: see SUPPORTED.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from orchestration.engine import paths
from orchestration.engine.choice import COMPARISONS
from orchestration.engine.errors import ApiError

_COMMON = {"Type", "Comment", "InputPath", "OutputPath"}
_NEXT = {"Next", "End"}
SUPPORTED: dict[str, set[str]] = {
    "Task": _COMMON | _NEXT | {
        "Resource", "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch", "TimeoutSeconds",
    },
    "Pass": _COMMON | _NEXT | {"Result", "Parameters", "ResultPath"},
    "Choice": _COMMON | {"Choices", "Default"},
    "Wait": _COMMON | _NEXT | {"Seconds"},
    "Succeed": _COMMON,
    "Fail": {"Type", "Comment", "Error", "Cause"},
}  # fmt: skip
"""State type -> fields that this engine runs."""
LAMBDA = re.compile(r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:([A-Za-z0-9_-]{1,64})")
_MAX_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Definition:
    """A checked definition. `states` is the Amazon States Language as written."""

    start_at: str
    states: dict[str, dict[str, Any]]


def parse(text: str) -> Definition:
    """The definition in `text`. Raise ApiError InvalidDefinition naming every fault and its place."""
    if len(text.encode()) > _MAX_BYTES:
        raise ApiError("InvalidDefinition", f"SCHEMA_VALIDATION_FAILED: over {_MAX_BYTES} bytes")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ApiError("InvalidDefinition", f"INVALID_JSON_DESCRIPTION: {error}") from error
    faults = _faults(document)
    if faults:
        raise ApiError("InvalidDefinition", "SCHEMA_VALIDATION_FAILED: " + "; ".join(faults))
    return Definition(start_at=document["StartAt"], states=document["States"])


def _faults(document: Any) -> list[str]:
    if not isinstance(document, dict) or not isinstance(document.get("States"), dict):
        return ["a definition is an object with StartAt and States, at /"]
    states = document["States"]
    faults = [
        f"field {field} is not supported, at /{field}"
        for field in document.keys() - {"Comment", "StartAt", "States", "Version"}
    ]
    if document.get("StartAt") not in states:
        faults.append("StartAt names no state, at /StartAt")
    for name, state in states.items():
        faults += [f"{fault}, at /States/{name}" for fault in _state_faults(state, states)]
    return faults


def _state_faults(state: Any, states: dict[str, Any]) -> list[str]:
    if not isinstance(state, dict) or state.get("Type") not in SUPPORTED:
        return [f"Type must be one of {', '.join(SUPPORTED)}"]
    kind = state["Type"]
    faults = [
        f"field {field} is not supported in {kind}" for field in state.keys() - SUPPORTED[kind]
    ]
    if broken := _try_faults(state):
        return faults + broken
    if not all(isinstance(rule, dict) for rule in state.get("Choices", [])):
        return [*faults, "Choices must be a list of rules"]
    faults += _target_faults(state, states)
    faults += _path_faults(state)
    if kind == "Task" and not LAMBDA.fullmatch(str(state.get("Resource"))):
        faults.append("Resource must be the ARN of a Lambda function")
    if kind == "Wait" and not isinstance(state.get("Seconds"), int):
        faults.append("Wait needs Seconds")
    if kind == "Choice":
        faults += [f for rule in state.get("Choices", []) for f in _rule_faults(rule, top=True)]
    return faults


_RETRY = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "Comment",
}
_CATCH = {"ErrorEquals", "ResultPath", "Next", "Comment"}


def _try_faults(state: dict[str, Any]) -> list[str]:
    """What is wrong with Retry, Catch and TimeoutSeconds; they are not looked at further then."""
    faults = []
    for field, known in (("Retry", _RETRY), ("Catch", _CATCH)):
        entries = state.get(field, [])
        if not isinstance(entries, list):
            faults.append(f"{field} must be a list")
            continue
        for number, entry in enumerate(entries):
            names = entry.get("ErrorEquals") if isinstance(entry, dict) else None
            if (
                not isinstance(names, list)
                or not names
                or not all(isinstance(n, str) for n in names)
            ):
                faults.append(f"{field}[{number}] needs ErrorEquals, a list of error names")
            elif unknown := entry.keys() - known:
                faults.append(f"{field}[{number}]: {', '.join(sorted(unknown))} is not supported")
            elif not all(
                _positive(entry.get(f, 1))
                for f in known - {"ErrorEquals", "Comment", "Next", "ResultPath", "MaxAttempts"}
            ):
                faults.append(f"{field}[{number}]: seconds and rates must be numbers above 0")
            elif type(entry.get("MaxAttempts", 0)) is not int:
                faults.append(f"{field}[{number}]: MaxAttempts must be a whole number")
    timeout = state.get("TimeoutSeconds", 1)
    if type(timeout) is not int or timeout < 1:
        faults.append("TimeoutSeconds must be a whole number above 0")
    return faults


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _target_faults(state: dict[str, Any], states: dict[str, Any]) -> list[str]:
    targets = [c.get("Next") for c in state.get("Catch", [])]
    if state["Type"] == "Choice":
        targets += [rule.get("Next") for rule in state.get("Choices", [])]
        targets += [state["Default"]] if "Default" in state else []
        if not state.get("Choices"):
            return ["Choice needs Choices"]
    elif state["Type"] in ("Succeed", "Fail"):
        return []
    elif ("Next" in state) == (state.get("End") is True):
        return ["needs either Next or End: true"]
    elif "Next" in state:
        targets.append(state["Next"])
    return [f"Next names no state: {target!r}" for target in targets if target not in states]


def _path_faults(state: dict[str, Any]) -> list[str]:
    faults = []
    for field in ("InputPath", "OutputPath"):
        value = state.get(field)
        if value is not None and not (isinstance(value, str) and paths.is_path(value)):
            faults.append(f"{field} is not a JSONPath")
    for holder in (state, *state.get("Catch", [])):
        value = holder.get("ResultPath")
        if value is not None and not (isinstance(value, str) and paths.is_reference(value)):
            faults.append("ResultPath is not a reference path")
    for field in ("Parameters", "ResultSelector"):
        faults += _template_faults(state.get(field), field)
    return faults


def _template_faults(template: Any, at: str) -> list[str]:
    if isinstance(template, list):
        return [f for i, item in enumerate(template) for f in _template_faults(item, f"{at}[{i}]")]
    if not isinstance(template, dict):
        return []
    faults = []
    for key, value in template.items():
        if not key.endswith(".$"):
            faults += _template_faults(value, f"{at}.{key}")
        elif not isinstance(value, str) or not paths.is_path(value):
            faults.append(f"{at}.{key} is not a JSONPath (intrinsic functions are not supported)")
    return faults


def _rule_faults(rule: dict[str, Any], *, top: bool) -> list[str]:
    faults = ["a Choice rule needs Next"] if top and "Next" not in rule else []
    for name in ("And", "Or"):
        if name in rule:
            return faults + [f for inner in rule[name] for f in _rule_faults(inner, top=False)]
    if "Not" in rule:
        return faults + _rule_faults(rule["Not"], top=False)
    operators = rule.keys() - {"Next", "Variable", "Comment"}
    known = COMPARISONS.keys() | {"IsPresent"}
    if "Variable" not in rule or len(operators) != 1 or not operators <= known:
        faults.append(f"a Choice rule needs Variable and one of {', '.join(sorted(known))}")
    return faults
