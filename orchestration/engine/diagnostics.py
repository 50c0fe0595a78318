"""What a fault of a definition is, and the checks that hold wherever a field occurs: its type, its range.

Codes and wording are AWS's where they are known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from orchestration.engine import jsonata_query
from orchestration.engine.limits import MAX_NUMBER

SCHEMA = "SCHEMA_VALIDATION_FAILED"
_KINDS: dict[str, tuple[type, ...]] = {
    "String": (str,), "Boolean": (bool,), "Object": (dict,), "Array": (list,),
}  # fmt: skip
TYPES = {
    "Type": "String", "StartAt": "String", "States": "Object", "Next": "String", "End": "Boolean",
    "Default": "String", "Resource": "String", "QueryLanguage": "String", "Retry": "Array", "Catch": "Array",
    "Choices": "Array", "Branches": "Array", "Assign": "Object", "Error": "String", "Cause": "String",
    "And": "Array", "Or": "Array", "Not": "Object", "ErrorEquals": "Array", "ProcessorConfig": "Object",
    "JitterStrategy": "String", "Timestamp": "String", "ItemProcessor": "Object", "Iterator": "Object",
}  # fmt: skip
"""Field -> the type that it has wherever it occurs."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault, as ValidateStateMachineDefinition reports it. `location` None: the whole definition."""

    code: str
    message: str
    location: str | None = None


Faults = Iterator[Diagnostic]


def schema(message: str, at: str) -> Diagnostic:
    """A fault of the schema at a place."""
    return Diagnostic(SCHEMA, message, at or "/")


def required(names: list[str], at: str) -> Diagnostic:
    """Fields that are missing."""
    return schema(f"These fields are required: [{', '.join(names)}]", at)


def type_faults(holder: dict[str, Any], at: str) -> Faults:
    """Fields whose values have the wrong type."""
    for field in holder.keys() & TYPES.keys():
        kind = TYPES[field]
        if not isinstance(holder[field], _KINDS[kind]):
            yield schema(f"Expected value of type {kind}", f"{at}/{field}")


def number_faults(
    holder: dict[str, Any], least: dict[str, float], at: str, *, computed: bool = False
) -> Faults:
    """Numbers that are none, or too small. `computed`: an expression may give the number later."""
    for field, minimum in least.items():
        value = holder.get(field, minimum)
        if computed and jsonata_query.is_expression(value):
            continue
        kind = "Number" if isinstance(minimum, float) else "Integer"
        if isinstance(value, bool) or not isinstance(
            value, int | float if kind == "Number" else int
        ):
            yield schema(f"Expected value of type {kind}", f"{at}/{field}")
        elif value < minimum:
            yield schema(f"Minimum value is {minimum}", f"{at}/{field}")
        elif value > MAX_NUMBER:
            yield schema(f"Maximum value is {MAX_NUMBER}", f"{at}/{field}")


def listed(holder: dict[str, Any], field: str) -> list[Any]:
    """The entries of a field that should be a list."""
    value = holder.get(field, [])
    return value if isinstance(value, list) else [value]
