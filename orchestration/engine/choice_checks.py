"""The rules that a Choice state's rules must keep. Source: Amazon States Language, "Choice State"."""

from typing import Any

from orchestration.engine import jsonata_query, paths
from orchestration.engine.choice import OPERATORS, as_time, is_number
from orchestration.engine.diagnostics import Faults, listed, required, schema, type_faults

_RULE = {"Next", "Comment", "Assign", "Output"}
"""Fields that any rule may have."""


def rule_faults(rule: dict[str, Any], at: str, language: str, *, top: bool) -> Faults:
    """Faults in one rule. `top`: it is not inside another one, so it says what is next."""
    if not isinstance(rule, dict):
        yield schema("Expected value of type Object", at)
        return
    if wrong := list(type_faults(rule, at)):
        yield from wrong
        return
    if top and "Next" not in rule:
        yield required(["Next"], at)
    if language == "JSONata":
        yield from _unknown_faults(rule, {"Condition"}, at)
        condition = rule.get("Condition")
        if condition is None:
            yield required(["Condition"], at)
        elif not isinstance(condition, bool) and not jsonata_query.is_expression(condition):
            yield schema("Expected a JSONata expression or a Boolean", f"{at}/Condition")
        return
    for name in ("And", "Or"):
        if name in rule:
            yield from _unknown_faults(rule, {name}, at)
            for number, inner in enumerate(listed(rule, name)):
                yield from rule_faults(inner, f"{at}/{name}[{number}]", language, top=False)
            return
    if "Not" in rule:
        yield from _unknown_faults(rule, {"Not"}, at)
        yield from rule_faults(rule["Not"], f"{at}/Not", language, top=False)
        return
    yield from _comparison_faults(rule, at)


def _comparison_faults(rule: dict[str, Any], at: str) -> Faults:
    operators = rule.keys() & OPERATORS
    if "Variable" not in rule:
        yield required(["Variable"], at)
    elif not isinstance(rule["Variable"], str) or not rule["Variable"].startswith("$"):
        told = "Value is not a Reference Path: Reference path didn't start with '$'"
        yield schema(told, f"{at}/Variable")
    elif not paths.is_path(rule["Variable"]):
        yield schema("Value is not a Reference Path", f"{at}/Variable")
    if len(operators) != 1:
        yield schema("A Choice rule needs exactly one comparison", at)
    for operator in operators:
        yield from _operand_faults(operator, rule[operator], f"{at}/{operator}")
    yield from _unknown_faults(rule, OPERATORS | {"Variable"}, at)


def _unknown_faults(rule: dict[str, Any], known: set[str], at: str) -> Faults:
    for field in rule.keys() - known - _RULE:
        yield schema(f"Field '{field}' is not supported", at)


def _operand_faults(operator: str, value: Any, at: str) -> Faults:
    """Faults in what a Choice rule compares with."""
    kind: str | None = None
    if operator.endswith("Path"):
        if not isinstance(value, str) or not paths.is_path(value):
            kind = "Path"
    elif operator.startswith(("Is", "Boolean")):
        kind = None if isinstance(value, bool) else "Boolean"
    elif operator.startswith("Numeric"):
        kind = None if is_number(value) else "Number"
    elif operator.startswith("Timestamp"):
        kind = None if as_time(value) is not None else "Timestamp"
    elif not isinstance(value, str):
        kind = "String"
    if kind:
        yield schema(f"Expected value of type {kind}", at)
