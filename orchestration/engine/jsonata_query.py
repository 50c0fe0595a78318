"""JSONata in states: Arguments, Output, Assign, Items, Condition and every field that may hold {% ... %}."""

import json
from functools import lru_cache
from typing import Any

import jsonata
from jsonata.utils import Utils

from orchestration.engine.bounded_regex import of_jsonata
from orchestration.engine.errors import EvaluationFault
from orchestration.engine.jsonata_functions import FUNCTIONS, BoundedJsonata, of_scope, wording
from orchestration.engine.limits import MAX_CACHED
from orchestration.engine.paths import Scope
from orchestration.engine.query import ABSENT, Finished, State, default

NULL = Utils.NULL_VALUE
_OPEN, _CLOSE = "{%", "%}"
_JSON = (dict, list, str, int, float, bool, type(None))


def is_expression(text: Any) -> bool:
    """Whether a value is a JSONata expression: {% ... %}."""
    return isinstance(text, str) and text.startswith(_OPEN) and text.endswith(_CLOSE)


@lru_cache(maxsize=MAX_CACHED)
def _compiled(expression: str) -> jsonata.Jsonata:
    # Wrapped in an object, because a bare result does not tell null from undefined.
    compiled = BoundedJsonata(f'{{"value": ({expression}\n)}}', of_jsonata)
    for name, function in FUNCTIONS.items():
        compiled.register_lambda(name, function)
    return compiled


def evaluate(text: str, states: dict[str, Any], scope: Scope, *, field: str) -> Any:
    """The value of {% ... %}. Raise EvaluationFault if it fails or gives nothing that is JSON."""
    expression = text[2:-2].strip()
    told = f"The JSONata expression '{expression}' specified for the field '{field}'"
    try:
        bindings = {
            name: _bound(value) for name, value in {"states": states, **scope.variables}.items()
        }
        found = _compiled(expression).evaluate({}, of_scope(scope) | bindings)
    except Exception as error:
        raise EvaluationFault(
            f"{told} threw an error during evaluation{wording(error)}", location=field
        ) from error
    if not isinstance(found, dict) or "value" not in found:
        raise EvaluationFault(f"{told} returned nothing (undefined).", location=field)
    try:
        return _plain(found["value"])
    except TypeError as error:
        raise EvaluationFault(
            f"{told} returned an unsupported result type.", location=field
        ) from error


def _bound(value: Any) -> Any:
    """A value as the library takes it: it has a null of its own, None is undefined there."""
    if isinstance(value, dict):
        return {key: _bound(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_bound(inner) for inner in value]
    return NULL if value is None else value


def _plain(value: Any) -> Any:
    """A result as plain JSON. Raise TypeError if it is a function."""
    if value is NULL:
        return None
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if not isinstance(value, _JSON):
        raise TypeError("not JSON")
    if isinstance(value, str):
        _check_unicode(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _check_unicode(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise TypeError("not Unicode") from error


def fill(template: Any, states: dict[str, Any], scope: Scope, *, field: str) -> Any:
    """A template with every {% ... %} replaced by its value."""
    if is_expression(template):
        return evaluate(template, states, scope, field=field)
    if isinstance(template, dict):
        return {k: fill(v, states, scope, field=f"{field}/{k}") for k, v in template.items()}
    if isinstance(template, list):
        return [fill(v, states, scope, field=f"{field}[{i}]") for i, v in enumerate(template)]
    return template


def type_name(value: Any) -> str:
    """The JSON type of a value, as AWS's messages call it."""
    if value is None:
        return "null"
    kinds = ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "object")


class JsonataQuery:
    """The Query of states whose QueryLanguage is JSONata."""

    def arguments(self, state: State, data: Any, scope: Scope) -> Any:
        """See Query."""
        if "Arguments" not in state:
            return data
        return fill(state["Arguments"], _states(data, scope), scope, field="Arguments")

    def finish(self, state: State, data: Any, result: Any, scope: Scope) -> Finished:
        """See Query."""
        return _finished(state, _states(data, scope, result=result), scope, otherwise=result)

    def caught(self, catcher: State, data: Any, error_output: Any, scope: Scope) -> Finished:
        """See Query."""
        states = _states(data, scope, errorOutput=error_output)
        return _finished(catcher, states, scope, otherwise=error_output)

    def value(self, state: State, field: str, data: Any, scope: Scope) -> Any:
        """See Query."""
        if field not in state:
            return ABSENT
        return fill(state[field], _states(data, scope), scope, field=field)

    def choose(self, state: State, data: Any, scope: Scope) -> tuple[State | None, str]:
        """See Query."""
        for number, rule in enumerate(state["Choices"]):
            field = f"Choices[{number}]/Condition"
            holds = fill(rule["Condition"], _states(data, scope), scope, field=field)
            if not isinstance(holds, bool):
                shown = json.dumps(holds, separators=(",", ":"))
                raise EvaluationFault(
                    f"The JSONata expression '{rule['Condition'][2:-2].strip()}' specified for the field '{field}'"
                    f" returned an unexpected result type. Expected 'boolean', but was"
                    f" '{type_name(holds)}' for value: {shown}",
                    location=field,
                )
            if holds:
                return rule, rule["Next"]
        return None, default(state)


def _states(data: Any, scope: Scope, **more: Any) -> dict[str, Any]:
    return {"input": data, "context": scope.context, **more}


def _finished(holder: State, states: dict[str, Any], scope: Scope, *, otherwise: Any) -> Finished:
    assigned = fill(holder.get("Assign", {}), states, scope, field="Assign")
    if "Output" not in holder:
        return Finished(otherwise, assigned)
    return Finished(fill(holder["Output"], states, scope, field="Output"), assigned)
