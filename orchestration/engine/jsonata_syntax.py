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
