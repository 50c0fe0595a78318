"""Choice rules: which state comes next. Source: Amazon States Language, "Choice State"."""

from collections.abc import Callable
from typing import Any

from orchestration.engine import paths
from orchestration.engine.errors import StatesError


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "StringEquals": lambda value, to: isinstance(value, str) and value == to,
    "BooleanEquals": lambda value, to: isinstance(value, bool) and value == to,
    "NumericEquals": lambda value, to: _number(value) and value == to,
    "NumericLessThan": lambda value, to: _number(value) and value < to,
    "NumericLessThanEquals": lambda value, to: _number(value) and value <= to,
    "NumericGreaterThan": lambda value, to: _number(value) and value > to,
    "NumericGreaterThanEquals": lambda value, to: _number(value) and value >= to,
}


def choose(state: dict[str, Any], data: Any, context: Any) -> str:
    """The name of the next state. Raise States.NoChoiceMatched if no rule holds and there is no Default."""
    for rule in state["Choices"]:
        if holds(rule, data, context):
            return str(rule["Next"])
    if "Default" in state:
        return str(state["Default"])
    raise StatesError("States.NoChoiceMatched", "no Choice rule matched and there is no Default")


def holds(rule: dict[str, Any], data: Any, context: Any) -> bool:
    """Whether a rule is true of `data`."""
    if "And" in rule:
        return all(holds(inner, data, context) for inner in rule["And"])
    if "Or" in rule:
        return any(holds(inner, data, context) for inner in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, context)
    found = paths.find(rule["Variable"], data, context)
    if "IsPresent" in rule:
        return paths.is_missing(found) is not rule["IsPresent"]
    if paths.is_missing(found):
        raise StatesError(
            "States.Runtime",
            f"Invalid path '{rule['Variable']}': the choice state's condition path references an invalid value.",
        )
    operator = next(name for name in COMPARISONS if name in rule)
    return COMPARISONS[operator](found, rule[operator])
