"""Operators over the ids and causes of messages."""

import ast
from collections.abc import Iterator

_KEYS = {
    "order_id": ("message_id",),
    "message_id": ("order_id", "caused_by"),
    "item": ("order_id",),
    "name": ("order_id",),
}
_OF_ORDER = ("order_id",)
"""What the order of a message has as well as the message."""


def wrong_key(node: ast.expr) -> Iterator[ast.expr]:
    """Another attribute serves as a key."""
    if isinstance(node, ast.Attribute) and not _of_an_order(node):
        for other in _KEYS.get(node.attr, ()):
            yield ast.Attribute(value=node.value, attr=other, ctx=ast.Load())


def key_collision(node: ast.expr) -> Iterator[ast.expr]:
    """An id that different orders or operations share."""
    match node:
        case ast.JoinedStr(values=values) if ":" in ast.unparse(node):
            for left_out in values:
                if isinstance(left_out, ast.FormattedValue):
                    yield ast.JoinedStr(values=[value for value in values if value is not left_out])
        case ast.Attribute(attr="order_id" | "message_id"):
            yield ast.Constant("the same")


def truncated_id(node: ast.expr) -> Iterator[ast.expr]:
    """An id without its last characters."""
    match node:
        case ast.Attribute(attr="order_id" | "message_id"):
            yield _cut(node, ast.UnaryOp(op=ast.USub(), operand=ast.Constant(1)))
        case ast.JoinedStr() if ":" in ast.unparse(node):
            yield _cut(node, ast.Constant(12))


def wrong_cause(node: ast.expr) -> Iterator[ast.expr]:
    """A message says that another one led to it, or none."""
    match node:
        case ast.Attribute(attr="caused_by"):
            yield ast.Attribute(value=node.value, attr="message_id", ctx=ast.Load())
            yield ast.Constant("")
        case ast.Call(keywords=keywords):
            for place, keyword in enumerate(keywords):
                value = keyword.value
                if keyword.arg == "caused_by" and ast.unparse(value).endswith("message_id"):
                    nobody = ast.keyword(arg="caused_by", value=ast.Constant(""))
                    changed = [*keywords[:place], nobody, *keywords[place + 1 :]]
                    yield ast.Call(func=node.func, args=node.args, keywords=changed)


def _cut(node: ast.expr, upper: ast.expr) -> ast.expr:
    return ast.Subscript(value=node, slice=ast.Slice(upper=upper), ctx=ast.Load())


def _of_an_order(node: ast.Attribute) -> bool:
    """Whether it is an attribute of what was ordered, which has no other id."""
    return ast.unparse(node.value).endswith("order") and node.attr in _OF_ORDER
