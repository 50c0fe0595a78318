"""Operators over expressions: each yields what may stand in an expression's place."""

import ast
import re
from collections.abc import Iterator

from kernel.ledger import Effect
from scenarios.campaigns.mutants.trees import about_guards

_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_NEARLY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip
_OTHER: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
}  # fmt: skip
_STATUS = re.compile(r"^[A-Z]{4,}$")


def arithmetic(node: ast.expr) -> Iterator[ast.expr]:
    """Another operation, the first operand alone, or the sign lost."""
    if isinstance(node, ast.BinOp) and type(node.op) in _OTHER:
        yield ast.BinOp(left=node.left, op=_OTHER[type(node.op)](), right=node.right)
        yield node.left
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand


def comparison(node: ast.expr) -> Iterator[ast.expr]:
    """The opposite."""
    yield from _compared(node, _OPPOSITE)


def boundary(node: ast.expr) -> Iterator[ast.expr]:
    """The limit itself on the other side, or a number one more or one less."""
    yield from _compared(node, _NEARLY)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)


def _compared(node: ast.expr, table: dict[type[ast.cmpop], type[ast.cmpop]]) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in table:
        yield ast.Compare(
            left=node.left, ops=[table[type(node.ops[0])]()], comparators=node.comparators
        )


def wrong_condition(node: ast.expr) -> Iterator[ast.expr]:
    """`and` for `or`, a part of a condition left out, `not` left out, a flag turned over."""
    match node:
        case ast.BoolOp(op=op, values=values):
            if not any(map(about_guards, values)):
                yield ast.BoolOp(
                    op=ast.And() if isinstance(op, ast.Or) else ast.Or(), values=values
                )
            for left_out in values:
                if not about_guards(left_out):
                    rest = [value for value in values if value is not left_out]
                    yield rest[0] if len(rest) == 1 else ast.BoolOp(op=op, values=rest)
        case ast.UnaryOp(op=ast.Not(), operand=operand) if not about_guards(operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)


def swapped_arms(node: ast.expr) -> Iterator[ast.expr]:
    """A conditional expression the other way round."""
    if isinstance(node, ast.IfExp) and not about_guards(node.test):
        yield ast.IfExp(test=node.test, body=node.orelse, orelse=node.body)


def stale_field(node: ast.expr) -> Iterator[ast.expr]:
    """A changed copy of a record, of which one field stays as it was."""
    match node:
        case ast.Call(func=ast.Name(id="replace"), args=args, keywords=keywords):
            for left_out in keywords:
                rest = [keyword for keyword in keywords if keyword is not left_out]
                yield ast.Call(func=node.func, args=args, keywords=rest)


def wrong_effect(node: ast.expr) -> Iterator[ast.expr]:
    """The ledger says that something else was done, or that nothing changed."""
    match node:
        case ast.Attribute(value=ast.Name(id="Effect"), attr=name):
            others = [effect.name for effect in Effect if effect.name != name]
            for other in others[:3]:
                yield ast.Attribute(value=node.value, attr=other, ctx=ast.Load())
        case ast.Call(keywords=keywords):
            rest = [keyword for keyword in keywords if keyword.arg != "delta"]
            if len(rest) < len(keywords):
                yield ast.Call(func=node.func, args=node.args, keywords=rest)


def wrong_answer(node: ast.expr, answers: list[str]) -> Iterator[ast.expr]:
    """Another answer of the participant."""
    if isinstance(node, ast.Name) and node.id in answers:
        place = answers.index(node.id)
        for other in dict.fromkeys((answers[place - 1], answers[(place + 1) % len(answers)])):
            if other != node.id:
                yield ast.Name(id=other, ctx=ast.Load())


def wrong_status(node: ast.expr, statuses: list[str]) -> Iterator[ast.expr]:
    """Another status of an order."""
    if isinstance(node, ast.Constant) and node.value in statuses:
        place = statuses.index(node.value)
        yield ast.Constant(statuses[(place + 1) % len(statuses)])


def answers_in(tree: ast.AST) -> list[str]:
    """The names of all answers in a module's decisions."""
    named = [
        keyword.value.id
        for keyword in ast.walk(tree)
        if isinstance(keyword, ast.keyword)
        and keyword.arg == "answer"
        and isinstance(keyword.value, ast.Name)
        and keyword.value.id[0].isupper()
    ]
    return sorted(set(named))


def statuses_in(tree: ast.AST) -> list[str]:
    """Every status that a module names."""
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return sorted({text for text in texts if isinstance(text, str) and _STATUS.match(text)})
