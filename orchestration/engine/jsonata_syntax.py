"""What AWS checks of a JSONata expression before it runs: its syntax, and that it looks only at variables."""

from collections.abc import Iterator
from typing import Any

import jsonata

from orchestration.engine.jsonata_functions import message

_SAME_CONTEXT = (
    "expression", "expressions", "lhs", "rhs", "lhs_object", "rhs_object", "arguments", "procedure", "body",
    "condition", "then", "_else", "pattern",
)  # fmt: skip
"""Parts of a node that are looked up where the node is; all others are looked up in what the node has found."""


def fault(expression: str) -> str:
    """What is wrong with the syntax, "" = nothing."""
    try:
        jsonata.Jsonata(expression)
    except jsonata.JException as error:
        return message(error)
    except Exception as error:  # the library's own faults on odd input
        return f"{type(error).__name__}: {error}"
    return ""


def top_level_names(expression: str) -> list[str]:
    """Names that are looked up in no value: AWS gives an expression no input but $states and variables."""
    return list(dict.fromkeys(_names(jsonata.Jsonata(expression).ast)))


def unreachable(expression: str, *, result: bool, error_output: bool) -> list[str]:
    """What an expression refers to and cannot: `$$`, and `$states.result` and `$states.errorOutput` where they are not."""
    gone = {"result": result, "errorOutput": error_output}
    found: dict[str, None] = {}
    for node in _nodes(jsonata.Jsonata(expression).ast):
        if node.type == "variable" and node.value == "$":
            found["$$"] = None
        if node.type == "path" and len(node.steps) > 1:
            first, second = node.steps[:2]
            name = str(second.value)
            of_states = first.type == "variable" and first.value == "states"
            if of_states and second.type == "name" and not gone.get(name, True):
                found[f"$states.{name}"] = None
    return list(found)


def _nodes(node: Any) -> Iterator[Any]:
    """A node and everything in it."""
    if isinstance(node, list | tuple):
        for part in node:
            yield from _nodes(part)
        return
    if not hasattr(node, "type"):
        return
    yield node
    for part in vars(node).values():
        if isinstance(part, list | tuple) or hasattr(part, "type"):
            yield from _nodes(part)


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, list | tuple):
        for part in node:
            yield from _names(part)
        return
    if not hasattr(node, "type"):
        return
    if node.type == "path":
        first = node.steps[0]
        if first.type == "name":
            yield str(first.value)
        else:
            yield from _names(first)
        return
    for name in _SAME_CONTEXT:
        yield from _names(getattr(node, name, None))
