"""Syntax trees as places: every node of a function with the path to it, and the function with one node replaced."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Step = tuple[str, int | None]
Path = tuple[Step, ...]
"""Field and index of each node on the way from the function."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
_NOT_BEHAVIOUR = (
    "annotation",
    "returns",
    "decorator_list",
    "type_comment",
    "ctx",
    "op",
    "ops",
)
MOST_TEXT = 110


@dataclass(frozen=True, slots=True)
class Edit:
    """A node, or a list of statements, that takes the place of what stands at `path`; `before` and `after` in source."""

    path: Path
    new: Any
    before: str
    after: str
    line: int = 0
    """Where the statement that is changed begins; 0 = see `line_of`."""

    @property
    def text(self) -> str:
        """The change in one line."""
        return f"{self.before} -> {self.after}"


def edit(path: Path, old: ast.AST, new: ast.AST) -> Edit:
    """One node for another."""
    return Edit(path, new, source(old), source(new))


def source(*nodes: ast.AST) -> str:
    """Nodes as one line of Python, cut if it is long."""
    text = "; ".join(" ".join(ast.unparse(node).split()) for node in nodes) or "nothing"
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 2]}.."


def expressions(function: Function) -> Iterator[tuple[Path, ast.expr]]:
    """Every expression that decides what the function does, outermost first; not what an error says."""
    for path, node in _nodes(function, ()):
        if isinstance(node, ast.expr):
            yield path, node


def blocks(function: Function) -> Iterator[tuple[Path, list[ast.stmt]]]:
    """Every list of statements in the function, without its docstring and what no run comes to."""
    yield (("body", None),), alive(function.body)
    for path, node in _nodes(function, ()):
        for name, value in ast.iter_fields(node):
            if is_block(value) and not _dead(node, name):
                yield (*path, (name, None)), alive(value)


def replaced(function: Function, change: Edit) -> Function:
    """A copy of the function with the change."""
    changed = copy.deepcopy(function)
    node: Any = changed
    for name, index in change.path[:-1]:
        node = getattr(node, name) if index is None else getattr(node, name)[index]
    name, index = change.path[-1]
    new = copy.deepcopy(change.new)
    if index is None:
        setattr(node, name, new)
    else:
        getattr(node, name)[index] = new
    return changed


def functions_in(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Qualified name and definition of every function of a module and its classes."""
    for node in tree.body:
        if isinstance(node, Function):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, Function):
                    yield f"{node.name}.{inner.name}", inner


def at(function: Function, path: Path) -> Any:
    """What stands at a path."""
    node: Any = function
    for name, index in path:
        node = getattr(node, name) if index is None else getattr(node, name)[index]
    return node


def dumped(new: Any) -> str:
    """A node, or a list of statements, as a text that is the same for the same code."""
    return "; ".join(map(ast.dump, new)) if isinstance(new, list) else ast.dump(new)


def line_of(function: Function, change: Edit) -> int:
    """The line of the statement that is changed."""
    node: Any = function
    line = function.lineno
    for name, index in change.path:
        node = getattr(node, name) if index is None else getattr(node, name)[index]
        if isinstance(node, ast.stmt):
            line = node.lineno
    return change.line or line


def alive(block: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a block that a run with every safeguard can come to, without a docstring."""
    found = []
    for number, statement in enumerate(block):
        if number == 0 and is_docstring(statement):
            continue
        found.append(statement)
        if isinstance(statement, ast.If) and _on(statement.test) and leaves(statement.body):
            break
    return found


def is_docstring(statement: ast.stmt) -> bool:
    """Whether it is a text and nothing else."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def is_block(value: Any) -> bool:
    """Whether it is a list of statements."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], ast.stmt)


def leaves(block: list[ast.stmt]) -> bool:
    """Whether what comes after the block is not reached through it."""
    return isinstance(block[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def observes(node: ast.AST) -> bool:
    """Whether a call only tells a tracer, whom no judge asks."""
    call = node.value if isinstance(node, ast.Expr | ast.Await) else node
    if not isinstance(call, ast.Call):
        return isinstance(call, ast.Await) and observes(call)
    return "tracer" in ast.unparse(call.func)


def about_guards(node: ast.AST) -> bool:
    """Whether it asks if a safeguard is on: it always is."""
    return "guards" in ast.unparse(node)


def _nodes(node: ast.AST, path: Path) -> Iterator[tuple[Path, ast.AST]]:
    for name, value in ast.iter_fields(node):
        if name in _NOT_BEHAVIOUR or isinstance(value, ast.arguments) or _dead(node, name):
            continue
        children: list[tuple[str, int | None, ast.AST]] = []
        if isinstance(value, ast.AST):
            children = [(name, None, value)]
        if isinstance(value, list):
            kept = alive(value) if is_block(value) else value
            children = [
                (name, i, child)
                for i, child in enumerate(value)
                if isinstance(child, ast.AST) and any(child is one for one in kept)
            ]
        for field, index, child in children:
            if observes(child) or _only_words(child) or isinstance(node, ast.Raise):
                continue
            step = (*path, (field, index))
            if not isinstance(child, ast.expr_context | ast.operator | ast.cmpop | ast.boolop):
                yield step, child
            yield from _nodes(child, step)


def _dead(node: ast.AST, name: str) -> bool:
    """Whether that part of the node runs only with a safeguard off."""
    if isinstance(node, ast.IfExp):
        return name == "orelse" and _on(node.test)
    if not isinstance(node, ast.If):
        return False
    off = isinstance(node.test, ast.UnaryOp) and about_guards(node.test)
    return (name == "body" and off) or (name == "orelse" and _on(node.test))


def _on(test: ast.expr) -> bool:
    return isinstance(test, ast.Attribute) and about_guards(test)


def _only_words(node: ast.AST) -> bool:
    """Whether it chooses between two texts for people."""
    arms = (node.body, node.orelse) if isinstance(node, ast.IfExp) else ()
    texts = [arm.value for arm in arms if isinstance(arm, ast.Constant)]
    return len(texts) == 2 and any(" " in str(text) for text in texts)
