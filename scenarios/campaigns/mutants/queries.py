"""Operators over SQL and its arguments: another row, every row, no row, an old row."""

import ast
import re
from collections.abc import Iterator

_SQL = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE)\b")
_READS = ("one", "all")
STALE = "stale_read"
"""What a mutated function calls for a read of what the reader before it saw."""
_CHANGES = (
    (r"(\w+) = \?", r"\1 <> ?"),
    (r"(\w+) = \?(?=[^,]*$)", r"(\1 = ? OR 1)"),
    (r"INSERT OR REPLACE", "INSERT OR IGNORE"),
    (r"INSERT OR IGNORE", "INSERT OR REPLACE"),
    (r"DO UPDATE SET .*?(?= RETURNING|$)", "DO NOTHING"),
    (r"(\w+) = 0", r"\1 = 1"),
    (r"(\w+) = 1", r"\1 = 0"),
    (r"\+ 1", "+ 0"),
    (r"< \?", ">= ?"),
    (r"(ORDER BY \w+)", r"\1 DESC"),
    (r"'(\w+)'", "'OTHER'"),
    (r"LIMIT \d+", "LIMIT 1"),
)  # fmt: skip


def wrong_row(node: ast.expr) -> Iterator[ast.expr]:
    """Other rows are read or written, or two of the arguments change places."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.match(node.value):
        where = node.value.find(" WHERE ")
        for pattern, by in _CHANGES:
            for found in re.finditer(pattern, node.value):
                if "OR 1" in by and found.start() < where:
                    continue
                yield ast.Constant(
                    node.value[: found.start()] + found.expand(by) + node.value[found.end() :]
                )
    if _runs_sql(node):
        assert isinstance(node, ast.Call)
        for left in range(1, len(node.args) - 1):
            args = list(node.args)
            args[left], args[left + 1] = args[left + 1], args[left]
            yield ast.Call(func=node.func, args=args, keywords=node.keywords)


def stale_read(node: ast.expr) -> Iterator[ast.expr]:
    """A read that gets what the same read got the last time."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="tx"), attr=name)) if name in _READS:
            stale = ast.Name(id=STALE, ctx=ast.Load())
            yield ast.Call(func=stale, args=[node.func, *node.args], keywords=[])


def writes(statement: ast.stmt) -> bool:
    """Whether a statement writes a row."""
    text = ast.unparse(statement)
    return bool(re.search(r"\btx\.(run|run_many|insert)\(|\.enter\(|\.enqueue\(", text))


def once(statement: ast.stmt) -> bool:
    """Whether a statement that writes a row leaves the same when it runs twice."""
    text = ast.unparse(statement)
    return bool(
        re.search(r"INSERT OR|UPDATE \w+ SET (\w+ = [?\d],? ?)+WHERE|ON CONFLICT|DELETE", text)
    )


def _runs_sql(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "tx"
    )
