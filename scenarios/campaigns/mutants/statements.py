"""Operators over statements: each yields edits of a function."""

import ast
import copy
from collections.abc import Callable, Iterator

from scenarios.campaigns.mutants.queries import once, writes
from scenarios.campaigns.mutants.trees import (
    Edit,
    Function,
    Path,
    about_guards,
    at,
    blocks,
    is_docstring,
    leaves,
    observes,
    source,
)

Block = list[ast.stmt]


def dropped_guard(function: Function) -> Iterator[Edit]:
    """A clause that leaves early is not there."""
    for path, block, place, statement in _each(function):
        if isinstance(statement, ast.If) and _is_guard(statement):
            yield _instead(path, block, place, [], statement)


def wrong_branch(function: Function) -> Iterator[Edit]:
    """`if` and `else` the other way round."""
    for path, block, place, statement in _each(function):
        if isinstance(statement, ast.If) and statement.orelse and not about_guards(statement.test):
            swapped = ast.If(test=statement.test, body=statement.orelse, orelse=statement.body)
            yield Edit(
                path,
                _put(block, place, [swapped]),
                f"if {source(statement.test)}: A else: B",
                "B else A",
                statement.lineno,
            )


def wrong_test(function: Function) -> Iterator[Edit]:
    """The opposite condition, or no condition at all."""
    for path, block, place, statement in _each(function):
        if isinstance(statement, ast.If) and not about_guards(statement.test):
            for test in (_negated(statement.test), ast.Constant(True)):
                changed = ast.If(test=test, body=statement.body, orelse=statement.orelse)
                before, after = f"if {source(statement.test)}", f"if {source(test)}"
                yield Edit(path, _put(block, place, [changed]), before, after, statement.lineno)


def early_return(function: Function) -> Iterator[Edit]:
    """The function returns before one of its statements: nothing, or a truth value, where that is what it gives."""
    for value in _given(function.returns):
        for path, block, place, statement in _each(function):
            if path == (("body", None),) and not isinstance(statement, ast.Return):
                leaving = ast.Return(value=value)
                before = f"before: {source(statement)}"
                yield Edit(
                    path,
                    _put(block, place, [leaving, statement]),
                    before,
                    source(leaving),
                    statement.lineno,
                )


def swallowed_exception(function: Function) -> Iterator[Edit]:
    """What fails is passed over: where it is raised, where it is caught, and before it comes there."""
    tried = [
        node.body for node in ast.walk(function) if isinstance(node, ast.Try) and node.handlers
    ]
    for path, block, place, statement in _each(function):
        match statement:
            case ast.Raise() if not _is_all_of_a_handler(path, block):
                yield _instead(path, block, place, [ast.Pass()], statement)
            case ast.Expr(value=ast.Await()) if any(block is one for one in tried):
                yield _instead(path, block, place, [_deaf(statement)], statement)
            case ast.Try(handlers=handlers):
                for number, handler in enumerate(handlers):
                    deaf = copy.deepcopy(statement)
                    deaf.handlers[number].body = [ast.Pass()]
                    what = source(handler.type) if handler.type else "everything"
                    before = f"except {what}: {source(*handler.body)}"
                    yield Edit(
                        path, _put(block, place, [deaf]), before, "pass", handler.body[0].lineno
                    )


def dropped_row(function: Function) -> Iterator[Edit]:
    """A row is not written."""
    yield from _dropped(function, writes)


def repeated_row(function: Function) -> Iterator[Edit]:
    """A row is written twice, where that makes a difference."""
    for path, block, place, statement in _each(function):
        if _is_call(statement) and writes(statement) and not once(statement):
            twice = _put(block, place, [statement, statement])
            yield Edit(path, twice, source(statement), "twice", statement.lineno)


def dropped_call(function: Function) -> Iterator[Edit]:
    """A call is left out."""
    yield from _dropped(function, lambda statement: not writes(statement))


def moved_call(function: Function) -> Iterator[Edit]:
    """A call comes first of all."""
    known = {arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)}
    assigned = {
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    for path, block, place, statement in _each(function):
        names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        first = path == (("body", None),) and not [s for s in block[:place] if not is_docstring(s)]
        if not _is_call(statement) or first or not names.isdisjoint(assigned - known):
            continue
        changed = copy.deepcopy(function)
        at(changed, path)[place] = ast.Pass()
        body = [copy.deepcopy(statement), *changed.body]
        yield Edit((("body", None),), body, source(statement), "first of all", statement.lineno)


def write_order(function: Function) -> Iterator[Edit]:
    """Two statements that do something change places."""
    for path, block, place, statement in _each(function):
        after = block[place + 1] if place + 1 < len(block) else None
        if after is None or not (_acts(statement) and _acts(after)) or observes(after):
            continue
        if _stored(statement).isdisjoint(_used(after)) and _stored(after).isdisjoint(
            _used(statement)
        ):
            swapped = [*block[:place], after, statement, *block[place + 2 :]]
            yield Edit(
                path, swapped, source(statement, after), "the second one first", after.lineno
            )


def lost_update(function: Function) -> Iterator[Edit]:
    """A rule returns the record as it came in, with the decision that it was changed."""
    for path, block, place, statement in _each(function):
        match statement:
            case ast.Return(value=ast.Tuple(elts=[record, decision])):
                came = ast.Name(id=function.args.args[0].arg, ctx=ast.Load())
                if source(record) != source(came):
                    pair = ast.Tuple(elts=[came, decision], ctx=ast.Load())
                    yield _instead(path, block, place, [ast.Return(value=pair)], statement)


def _each(function: Function) -> Iterator[tuple[Path, Block, int, ast.stmt]]:
    """Every statement that is not only there for a tracer, with its block and its place in it."""
    for path, living in blocks(function):
        block: Block = at(function, path)
        for place, statement in enumerate(block):
            if any(statement is one for one in living) and not observes(statement):
                yield path, block, place, statement


def _put(block: Block, place: int, new: Block) -> Block:
    return [*block[:place], *new, *block[place + 1 :]] or [ast.Pass()]


def _instead(path: Path, block: Block, place: int, new: Block, old: ast.stmt) -> Edit:
    return Edit(path, _put(block, place, new), source(old), source(*new), old.lineno)


def _dropped(function: Function, wanted: Callable[[ast.stmt], bool]) -> Iterator[Edit]:
    for path, block, place, statement in _each(function):
        if _is_call(statement) and wanted(statement) and not _is_all_of_a_handler(path, block):
            yield _instead(path, block, place, [], statement)


def _is_all_of_a_handler(path: Path, block: Block) -> bool:
    """Whether to leave it out is to swallow the exception."""
    return len(block) == 1 and len(path) > 1 and path[-2][0] == "handlers"


def _is_call(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or observes(statement):
        return False
    value = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
    return isinstance(value, ast.Call)


def _acts(statement: ast.stmt) -> bool:
    """Whether it does something that can be seen from outside."""
    return not isinstance(statement, Function) and any(
        isinstance(n, ast.Await) or (isinstance(n, ast.stmt) and _is_call(n))
        for n in ast.walk(statement)
    )


def _is_guard(statement: ast.If) -> bool:
    return not statement.orelse and leaves(statement.body) and not about_guards(statement.test)


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(op=ast.Not(), operand=test)


def _deaf(statement: ast.stmt) -> ast.stmt:
    everything = ast.Name(id="Exception", ctx=ast.Load())
    handler = ast.ExceptHandler(type=everything, name=None, body=[ast.Pass()])
    return ast.Try(body=[statement], handlers=[handler], orelse=[], finalbody=[])


def _given(returns: ast.expr | None) -> list[ast.expr | None]:
    """What a function of this kind can return without looking."""
    kind = ast.unparse(returns) if returns else ""
    if kind == "bool":
        return [ast.Constant(True), ast.Constant(False)]
    return [None] if kind == "None" or kind.endswith("| None") else []


def _stored(statement: ast.stmt) -> set[str]:
    return {
        n.id
        for n in ast.walk(statement)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _used(statement: ast.stmt) -> set[str]:
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
