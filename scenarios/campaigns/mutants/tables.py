"""Mutants of what a participant's module says in tables and limits, beside its functions."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from types import ModuleType
from typing import Any
from unittest.mock import patch

from scenarios.campaigns.mutants.mutant import Mutant
from scenarios.campaigns.mutants.rooms import Room

OPERATORS = ("boundary", "wrong-key", "swapped-entries", "dropped-entry")
_SCHEMA = "SCHEMA"


def mutants_of_tables(room: Room, module: ModuleType) -> Iterator[Mutant]:
    """Every mutant of the module's own constants."""
    for node in ast.parse(inspect.getsource(module)).body:
        name = _name(node)
        if not name or name.startswith("__") or name == "TABLES":
            continue
        numbers: dict[str, int] = {}
        for operator, value, change in _changes(name, vars(module)[name]):
            numbers[operator] = numbers.get(operator, 0) + 1
            yield Mutant(
                room=room.name,
                module=module.__name__,
                place=name,
                operator=operator,
                number=numbers[operator],
                change=f"{name}: {change}",
                styles=room.styles,
                plant=_plant(module, name, value),
            )


def _name(node: ast.stmt) -> str:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return ""


def _changes(name: str, value: Any) -> Iterator[tuple[str, Any, str]]:
    """(operator, new value, the change in words)."""
    if type(value) is int:
        yield "boundary", value + 1, f"{value} -> {value + 1}"
        yield "boundary", value - 1, f"{value} -> {value - 1}"
    elif isinstance(value, dict):
        yield from _entries(value)
    elif isinstance(value, frozenset | set):
        for member in sorted(value):
            yield "dropped-entry", type(value)(value - {member}), f"without {member!r}"
    elif name == _SCHEMA:
        for found in re.finditer(r"(\w+) (\w+) PRIMARY KEY", value):
            text = f"{value[: found.start()]}{found[1]} {found[2]}{value[found.end() :]}"
            yield "wrong-key", text, f"{found[0]} -> {found[1]} {found[2]}"
    elif isinstance(value, str):
        yield "wrong-key", f"{value}!", f"{value!r} -> {value + '!'!r}"


def _entries(table: dict[Any, Any]) -> Iterator[tuple[str, Any, str]]:
    keys = list(table)
    for left, right in pairwise(keys):
        if table[left] is not table[right]:
            swapped = table | {left: table[right], right: table[left]}
            yield "swapped-entries", swapped, f"{_word(left)} and {_word(right)} swapped"
    for key in keys:
        rest = {k: v for k, v in table.items() if k is not key}
        yield "dropped-entry", rest, f"without {_word(key)}"


def _word(key: Any) -> str:
    return str(getattr(key, "__name__", repr(key)))


def _plant(module: ModuleType, name: str, value: Any) -> Callable[[ExitStack], None]:
    def plant(stack: ExitStack) -> None:
        if isinstance(value, dict):
            stack.enter_context(patch.dict(vars(module)[name], value, clear=True))
        else:
            stack.enter_context(patch.object(module, name, value))

    return plant
