"""Mutants of the functions of a module: the code of the function object itself is swapped, so that everybody who holds it runs the mutant."""

import ast
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any
from unittest.mock import patch

from scenarios.campaigns.mutants import expressions, ids, queries, statements
from scenarios.campaigns.mutants.mutant import Mutant
from scenarios.campaigns.mutants.rooms import Room
from scenarios.campaigns.mutants.trees import (
    Edit,
    Function,
    Path,
    at,
    dumped,
    edit,
    functions_in,
    line_of,
    replaced,
)
from scenarios.campaigns.mutants.trees import expressions as all_expressions

Operator = Callable[[Function, ast.Module], Iterator[Edit]]


def _over(operator: Callable[[ast.expr], Iterator[ast.expr]]) -> Operator:
    """An operator over expressions as one over functions."""

    def edits(function: Function, module: ast.Module) -> Iterator[Edit]:
        for path, node in all_expressions(function):
            for new in operator(node):
                yield edit(path, node, new)

    return edits


def _over_words(
    operator: Callable[[ast.expr, list[str]], Iterator[ast.expr]],
    words: Callable[[ast.Module], list[str]],
) -> Operator:
    """An operator that puts one of the module's own words for another."""

    def edits(function: Function, module: ast.Module) -> Iterator[Edit]:
        known = words(module)
        for path, node in all_expressions(function):
            for new in operator(node, known):
                yield edit(path, node, new)

    return edits


def _alone(operator: Callable[[Function], Iterator[Edit]]) -> Operator:
    return lambda function, module: operator(function)


def _together(*operators: Operator) -> Operator:
    def edits(function: Function, module: ast.Module) -> Iterator[Edit]:
        for operator in operators:
            yield from operator(function, module)

    return edits


OPERATORS: dict[str, Operator] = {
    "arithmetic": _over(expressions.arithmetic),
    "comparison": _over(expressions.comparison),
    "boundary": _over(expressions.boundary),
    "dropped-guard": _alone(statements.dropped_guard),
    "wrong-condition": _together(_alone(statements.wrong_test), _over(expressions.wrong_condition)),
    "swapped-branches": _together(_alone(statements.wrong_branch), _over(expressions.swapped_arms)),
    "early-return": _alone(statements.early_return),
    "swallowed-exception": _alone(statements.swallowed_exception),
    "dropped-row": _alone(statements.dropped_row),
    "repeated-row": _alone(statements.repeated_row),
    "dropped-call": _alone(statements.dropped_call),
    "moved-call": _alone(statements.moved_call),
    "write-order": _alone(statements.write_order),
    "wrong-key": _over(ids.wrong_key),
    "wrong-row": _over(queries.wrong_row),
    "stale-state": _together(
        _over(queries.stale_read),
        _over(expressions.stale_field),
        _alone(statements.lost_update),
    ),
    "wrong-answer": _over_words(expressions.wrong_answer, expressions.answers_in),
    "wrong-effect": _over(expressions.wrong_effect),
    "wrong-status": _over_words(expressions.wrong_status, expressions.statuses_in),
    "key-collision": _over(ids.key_collision),
    "truncated-id": _over(ids.truncated_id),
    "wrong-cause": _over(ids.wrong_cause),
}
"""Operator -> its edits of one function."""


def mutants_of_functions(room: Room, module: ModuleType) -> Iterator[Mutant]:
    """Every mutant of the functions that the room names, or of all functions of the module."""
    tree = _tree(module)
    for place, function in functions_in(tree):
        if not room.has(module, place):
            continue
        seen = set[tuple[Path, str]]()
        for name, operator in OPERATORS.items():
            number = 0
            for change in operator(function, tree):
                mark = change.path, dumped(change.new)
                if mark in seen or mark[1] == dumped(at(function, change.path)):
                    continue
                seen.add(mark)
                number += 1
                yield Mutant(
                    room=room.name,
                    module=module.__name__,
                    place=place,
                    operator=name,
                    number=number,
                    change=change.text,
                    styles=room.styles,
                    plant=_plant(module, place, change),
                    line=(str(module.__file__), line_of(function, change)),
                )


def _plant(module: ModuleType, place: str, change: Edit) -> Callable[[ExitStack], None]:
    @cache
    def code() -> CodeType:
        return _compiled(module, place, change)

    def plant(stack: ExitStack) -> None:
        function, mutated = _function(module, place), code()
        before = function.__code__
        stack.callback(setattr, function, "__code__", before)
        if queries.STALE in mutated.co_names:
            stack.enter_context(patch.object(module, queries.STALE, _stale_reader(), create=True))
        function.__code__ = mutated

    return plant


def _stale_reader() -> Callable[..., Any]:
    """A read that gives what it gave the last time, and looks only for the next one."""
    seen: dict[tuple[Any, ...], Any] = {}

    def read(look: Callable[..., Any], *arguments: Any) -> Any:
        now = look(*arguments)
        before = seen.get(arguments, now)
        seen[arguments] = now
        return before

    return read


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def _compiled(module: ModuleType, place: str, change: Edit) -> CodeType:
    """The mutated function's code. Raise Exception if it cannot be compiled."""
    tree = _tree(module)
    function = dict(functions_in(tree))[place]
    mutated = replaced(function, change)
    body = [_in_place(node, function, mutated) for node in tree.body]
    whole = ast.fix_missing_locations(ast.Module(body=body, type_ignores=[]))
    return _named(compile(whole, str(module.__file__), "exec"), place)


def _in_place(node: ast.stmt, old: ast.stmt, new: ast.stmt) -> ast.stmt:
    if node is old:
        return new
    if isinstance(node, ast.ClassDef) and any(inner is old for inner in node.body):
        changed = ast.ClassDef(**dict(ast.iter_fields(node)))
        changed.body = [new if inner is old else inner for inner in node.body]
        return ast.copy_location(changed, node)
    return node


def _named(code: CodeType, place: str) -> CodeType:
    inside = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    found = [one for one in inside if one.co_qualname == place]
    return (
        found[0]
        if found
        else next(_named(one, place) for one in inside if place.startswith(one.co_qualname))
    )


def _function(module: ModuleType, place: str) -> FunctionType:
    """The function object behind decorators and descriptors."""
    found: Any = module
    for name in place.split("."):
        found = vars(found)[name]
    return _bare(found)


def _bare(found: Any) -> FunctionType:
    for name in ("__func__", "__wrapped__", "fget", "func"):
        inner = getattr(found, name, None)
        if inner is not None and not (name == "func" and isinstance(found, FunctionType)):
            return _bare(inner)
    assert isinstance(found, FunctionType)
    return found
