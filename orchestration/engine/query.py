"""How a state reads its input and shapes its output, in each query language.

Source: Amazon States Language, "Input and Output Processing", "Variables", "JSONata".
"""

from dataclasses import dataclass
from typing import Any, Protocol

from orchestration.engine import choice, paths, templates
from orchestration.engine.errors import Fault
from orchestration.engine.paths import Scope

State = dict[str, Any]
ABSENT = object()
"""The value of a field that a state does not have: null is a value."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a state leaves: its output, and the variables it assigns."""

    output: Any
    assigned: dict[str, Any]


class Query(Protocol):
    """One query language. Every method raises Fault if an expression fails."""

    def arguments(self, state: State, data: Any, scope: Scope) -> Any:
        """The effective input: what a task, a Map or a Pass gets."""
        ...

    def finish(self, state: State, data: Any, result: Any, scope: Scope) -> Finished:
        """Output and variables from the state's result."""
        ...

    def caught(self, catcher: State, data: Any, error_output: Any, scope: Scope) -> Finished:
        """Output and variables of a Catch entry."""
        ...

    def value(self, state: State, field: str, data: Any, scope: Scope) -> Any:
        """The value of a field that may be computed (its Path form, or an expression); ABSENT if it is not there."""
        ...

    def choose(self, state: State, data: Any, scope: Scope) -> tuple[State | None, str]:
        """The rule of a Choice state that holds (None = Default), and the name of the next state."""
        ...


_NUMBERS_OF_A_TASK = ("TimeoutSeconds", "HeartbeatSeconds")


class JsonPath:
    """JSONPath: InputPath, Parameters, ResultSelector, ResultPath, OutputPath, Assign."""

    def arguments(self, state: State, data: Any, scope: Scope) -> Any:
        """See Query."""
        chosen = self.select(state, "InputPath", data, scope)
        if "Parameters" in state:
            return templates.fill(state["Parameters"], chosen, scope)
        return chosen

    def finish(self, state: State, data: Any, result: Any, scope: Scope) -> Finished:
        """See Query. Variables are assigned from the raw result."""
        assigned = templates.fill(state.get("Assign", {}), result, scope)
        if "ResultSelector" in state:
            result = templates.fill(state["ResultSelector"], result, scope)
        placed = _place(state, data, result)
        return Finished(self.select(state, "OutputPath", placed, scope), assigned)

    def caught(self, catcher: State, data: Any, error_output: Any, scope: Scope) -> Finished:
        """See Query."""
        assigned = templates.fill(catcher.get("Assign", {}), error_output, scope)
        return Finished(_place(catcher, data, error_output), assigned)

    def value(self, state: State, field: str, data: Any, scope: Scope) -> Any:
        """See Query."""
        if f"{field}Path" in state:
            path = state[f"{field}Path"]
            if field in ("TimeoutSeconds", "HeartbeatSeconds"):
                return paths.read(path, data, scope)
            if field in ("Seconds", "Timestamp") and paths.is_missing(
                paths.find(path, data, scope)
            ):
                told = f"The {field}Path parameter does not reference an input value: {path}"
                raise Fault("States.Runtime", told)
            return templates.compute(path, data, scope, field=f"{field}Path")
        return state.get(field, ABSENT)

    def choose(self, state: State, data: Any, scope: Scope) -> tuple[State | None, str]:
        """See Query."""
        for rule in state["Choices"]:
            if choice.holds(rule, data, scope):
                return rule, rule["Next"]
        return None, default(state)

    def select(self, state: State, field: str, data: Any, scope: Scope) -> Any:
        """What InputPath or OutputPath chooses."""
        path = state.get(field, "$")
        return {} if path is None else paths.read(path, data, scope)


def default(state: State) -> str:
    """The next state of a Choice in which no rule holds. Raise States.Runtime, as AWS does, if there is none."""
    if "Default" not in state:
        raise Fault(
            "States.Runtime",
            "Failed to transition out of the state. The state does not point to a next state.",
        )
    return str(state["Default"])


def _place(holder: State, data: Any, result: Any) -> Any:
    path = holder.get("ResultPath", "$")
    return data if path is None else paths.write(path, data, result)
