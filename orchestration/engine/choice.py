"""Choice rules: which state comes next. Source: Amazon States Language, "Choice State"."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import Any

from orchestration.engine import paths
from orchestration.engine.errors import Fault
from orchestration.engine.limits import MAX_CACHED
from orchestration.engine.paths import Scope

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})")
_ORDER = {
    "Equals": eq,
    "LessThan": lt,
    "LessThanEquals": le,
    "GreaterThan": gt,
    "GreaterThanEquals": ge,
}


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_time(value: Any) -> datetime | None:
    """The moment that an RFC 3339 text with T and zone names, or None."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _compared(
    kind: Callable[[Any], Any], order: Callable[[Any, Any], bool]
) -> Callable[[Any, Any], bool]:
    def compare(value: Any, to: Any) -> bool:
        one, other = kind(value), kind(to)
        return one is not None and other is not None and order(one, other)

    return compare


def _as_string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _as_number(value: Any) -> float | None:
    return value if is_number(value) else None


def _as_boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


@lru_cache(maxsize=MAX_CACHED)
def _between_stars(pattern: str) -> list[str]:
    """The plain texts that the stars of a pattern separate; a star after a backslash is plain."""
    found = [""]
    for part in re.findall(r"\\.|\*|[^\\*]+|\\", pattern, re.DOTALL):
        if part == "*":
            found.append("")
        else:
            found[-1] += part[1:] if part[0] == "\\" and len(part) == 2 else part
    return found


def _matches(value: Any, pattern: Any) -> bool:
    """Whether a text matches, in time that grows with its length alone."""
    if not isinstance(value, str) or not isinstance(pattern, str):
        return False
    first, *others = _between_stars(pattern)
    if not others:
        return value == first
    last = others.pop()
    if len(value) < len(first) + len(last) or not value.startswith(first):
        return False
    at, end = len(first), len(value) - len(last)
    for middle in others:
        at = value.find(middle, at, end)
        if at < 0:
            return False
        at += len(middle)
    return value.endswith(last) and at <= end


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "BooleanEquals": _compared(_as_boolean, eq),
    "StringMatches": _matches,
}
for _name, _order in _ORDER.items():
    COMPARISONS[f"String{_name}"] = _compared(_as_string, _order)
    COMPARISONS[f"Numeric{_name}"] = _compared(_as_number, _order)
    COMPARISONS[f"Timestamp{_name}"] = _compared(as_time, _order)
TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsNumeric": is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: as_time(value) is not None,
}
OPERATORS = {
    *COMPARISONS,
    *(f"{name}Path" for name in COMPARISONS if name != "StringMatches"),
    *TESTS,
    "IsPresent",
}


def holds(rule: dict[str, Any], data: Any, scope: Scope) -> bool:
    """Whether a rule is true of `data`. Raise States.Runtime if its Variable is not there."""
    if "And" in rule:
        return all(holds(inner, data, scope) for inner in rule["And"])
    if "Or" in rule:
        return any(holds(inner, data, scope) for inner in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, scope)
    found = paths.find(rule["Variable"], data, scope)
    if found is None and rule["Variable"] == "$":
        found = paths.MISSING  # AWS cannot look into an input that is null
    if "IsPresent" in rule:
        return paths.is_missing(found) is not rule["IsPresent"]
    operator = next(name for name in rule if name in OPERATORS)
    if paths.is_missing(found):
        raise Fault(
            "States.Runtime",
            f"Invalid path '{rule['Variable']}': The choice state's condition path references an invalid value.",
        )
    if operator in TESTS:
        return TESTS[operator](found) is rule[operator]
    expected = rule[operator]
    if operator.endswith("Path"):
        expected, operator = paths.read(expected, data, scope), operator.removesuffix("Path")
    return COMPARISONS[operator](found, expected)
