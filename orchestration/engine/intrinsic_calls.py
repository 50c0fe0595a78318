"""Calls of intrinsic functions, such as States.Format('{}', $.a): a parser, and their values.

Source: Amazon States Language, "Intrinsic Functions".
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestration.engine.intrinsics import DRAWN, FUNCTIONS, Template
from orchestration.engine.limits import MAX_NESTED_CALLS
from orchestration.engine.text import strictly

_TOKEN = re.compile(
    r"\s*(?:(?P<call>States\.\w+)\s*\(|(?P<text>'(?:\\.|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<word>true|false|null)|(?P<close>\))|(?P<comma>,))"
)


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`; an argument is a Call, a Path or a constant."""

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """An argument that is read from input, context or variables."""

    text: str


def is_call(text: str) -> bool:
    """Whether a template value is meant as an intrinsic function."""
    return text.startswith("States.")


def parse(text: str) -> Call:
    """The call in `text`. Raise ValueError if it is none, or one too deep."""
    call, end = _call(text, 0, MAX_NESTED_CALLS)
    if text[end:].strip():
        raise ValueError(f"unexpected {text[end:]!r}")
    return call


def _call(text: str, at: int, deep: int) -> tuple[Call, int]:
    """`deep`: how many calls may stand inside of each other from here on."""
    if not deep:
        raise ValueError(f"at most {MAX_NESTED_CALLS} functions may be nested")
    opened = _TOKEN.match(text, at)
    if not opened or not opened["call"]:
        raise ValueError(f"not an intrinsic function: {text[at:]!r}")
    name = opened["call"]
    if name not in FUNCTIONS and name not in DRAWN:
        raise ValueError(f"unknown intrinsic function {name}")
    arguments: list[Any] = []
    at = opened.end()
    closed = _TOKEN.match(text, at)
    if closed and closed["close"]:
        return Call(name, ()), closed.end()
    while True:
        template = name == "States.Format" and not arguments
        argument, at = _argument(text, at, deep, template=template)
        arguments.append(argument)
        after = _TOKEN.match(text, at)
        if after and after["close"]:
            return Call(name, tuple(arguments)), after.end()
        if not after or not after["comma"]:
            raise ValueError(f"expected , or ) in {text[at:]!r}")
        at = after.end()


def _argument(text: str, at: int, deep: int, *, template: bool) -> tuple[Any, int]:
    """An argument and where it ends. `template`: it is for Format, which needs to see escaped braces."""
    at += len(text[at:]) - len(text[at:].lstrip())
    if text[at : at + 1] == "$":
        end = _path_end(text, at)
        return Path(text[at:end].strip()), end
    token = _TOKEN.match(text, at)
    if not token:
        raise ValueError(f"not an argument: {text[at:]!r}")
    if token["call"]:
        return _call(text, at, deep - 1)
    if token["text"] is not None:
        return _constant(token["text"][1:-1], template=template), token.end()
    if token["number"] or token["word"]:
        return strictly(token["number"] or token["word"]), token.end()
    raise ValueError(f"not an argument: {text[at:]!r}")


def _constant(written: str, *, template: bool) -> str:
    """A text between quotes. Raise ValueError if it has an escape that there is not."""
    for escaped in re.findall(r"\\(.)", written, re.DOTALL):
        if escaped not in "'{}\\":
            raise ValueError(f"\\{escaped} is no escape: there are \\' \\{{ \\}} and \\\\")
    return Template(written) if template else re.sub(r"\\(.)", r"\1", written, flags=re.DOTALL)


def _path_end(text: str, at: int) -> int:
    """Where a path ends: at the comma or parenthesis outside brackets and quotes."""
    depth, quote, escaped = 0, "", False
    for position in range(at, len(text)):
        character = text[position]
        if escaped:
            escaped = False
        elif quote:
            escaped = character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[(":
            depth += 1
        elif depth and character in "])":
            depth -= 1
        elif character in ",)":
            return position
    return len(text)


def evaluate(call: Call, read: Callable[[str], Any], chance: random.Random) -> Any:
    """The value of a call. Raise ValueError if its arguments are wrong."""
    arguments = [
        evaluate(a, read, chance)
        if isinstance(a, Call)
        else read(a.text)
        if isinstance(a, Path)
        else a
        for a in call.arguments
    ]
    try:
        if call.name in DRAWN:
            return DRAWN[call.name](chance, *arguments)
        return FUNCTIONS[call.name](*arguments)
    except Exception as error:
        raise ValueError(str(error)) from error
