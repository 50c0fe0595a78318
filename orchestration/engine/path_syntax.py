"""The grammar of JSONPath as AWS has it (Jayway's dialect): what a path begins at, its steps, and whether it names one place.

Source: Amazon States Language, "Paths", "Reference Paths"; recorded answers.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from orchestration.engine.limits import MAX_CACHED, MAX_VARIABLE_NAME

INPUT, CONTEXT = "$", "$$"
_NAME = re.compile(r"[\w-]+")
_QUOTED = r"'((?:\\.|[^'\\])*)'|\"((?:\\.|[^\"\\])*)\""
_FIELD = re.compile(rf"\[\s*(?:{_QUOTED})\s*\]", re.DOTALL)
_INDEX = re.compile(r"\[\s*(\d+)\s*\]")
_FROM_END = re.compile(r"\[\s*\(\s*@\.length\s*-\s*(\d+)\s*\)\s*\]")
_NEGATIVE = re.compile(r"\[\s*-\d+\s*\]")
_MANY = re.compile(
    rf"\.\*|\.\.(?:\*|[\w-]+|(?=\[))|\[\s*\*\s*\]|\[[\d\s,:-]*[,:][\d\s,:-]*\]|\[\s*(?:{_QUOTED})(?:\s*,\s*(?:{_QUOTED}))+\s*\]",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class FromEnd:
    """The step [(@.length-n)]: an element counted from the end, 1 = the last."""

    n: int


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path.

    `root`: INPUT, CONTEXT or the name of a variable. `steps`: as far as they name one place each; `rest`: what follows and may
    name several, in the library's dialect, "" = nothing.
    """

    root: str
    steps: tuple[str | int | FromEnd, ...]
    rest: str = ""

    @property
    def definite(self) -> bool:
        """Whether it names one place."""
        return not self.rest

    @property
    def writable(self) -> bool:
        """Whether a value can be written there: a Reference Path."""
        return self.definite and not any(isinstance(step, FromEnd) for step in self.steps)


class NoPath(ValueError):
    """The text is no path."""


@lru_cache(maxsize=MAX_CACHED)
def parse(text: str) -> Path:
    """The path in a text. Raise NoPath."""
    root, at = _root(text)
    steps: list[str | int | FromEnd] = []
    while at < len(text):
        step, end = _step(text, at)
        if step is None:
            return Path(root, tuple(steps), _library(text, at))
        steps.append(step)
        at = end
    return Path(root, tuple(steps))


def is_variable_name(name: str) -> bool:
    """Whether a variable may have this name: a Unicode identifier of at most 80 characters, not `states`."""
    return name.isidentifier() and len(name) <= MAX_VARIABLE_NAME and name != "states"


def _root(text: str) -> tuple[str, int]:
    if text.startswith("$$"):
        return CONTEXT, 2
    if not text.startswith("$"):
        raise NoPath("a path begins with $")
    named = _NAME.match(text, 1)
    if named is None:
        return INPUT, 1
    name = named[0].partition("-")[0]
    if not name.isidentifier():
        raise NoPath(f"{name!r} is no name of a variable")
    return name, 1 + len(name)


def _step(text: str, at: int) -> tuple[str | int | FromEnd | None, int]:
    """One step that names one place, and where it ends; None = what follows may name several."""
    if text[at] == "." and text[at + 1 : at + 2] == "[":
        at += 1  # Jayway takes a dot before a bracket
    if text[at] == ".":
        if name := _NAME.match(text, at + 1):
            return _no_function(text, name[0], name.end()), name.end()
    elif field := _FIELD.match(text, at):
        quoted = field[1] if field[1] is not None else field[2]
        return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL), field.end()
    elif index := _INDEX.match(text, at):
        return int(index[1]), index.end()
    elif last := _FROM_END.match(text, at):
        return FromEnd(int(last[1])), last.end()
    elif _NEGATIVE.match(text, at):
        raise NoPath("a negative index is not supported")
    return None, at


def _no_function(text: str, name: str, end: int) -> str:
    if text[end : end + 1] == "(":
        raise NoPath(f"the function {name}() is not supported")
    return name


def _library(text: str, at: int) -> str:
    """What may name several places, checked, as the library writes it."""
    written = []
    while at < len(text):
        step, end = _step(text, at)
        if step is not None:
            written.append(_written(step))
        elif many := _MANY.match(text, at):
            end = many.end()
            written.append(many[0])
        else:
            at += text[at] == "." and text[at + 1 : at + 2] == "["
            if not text.startswith("[?", at):
                raise NoPath(f"unexpected {text[at:]!r}")
            end = _filter_end(text, at)
            written.append(_quoted(text[at:end]))
        at = end
    return "".join(written)


def _written(step: str | int | FromEnd) -> str:
    if isinstance(step, FromEnd):
        return f"[-{step.n}]"
    if isinstance(step, int):
        return f"[{step}]"
    escaped = step.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


def _filter_end(text: str, at: int) -> int:
    """Where a filter's bracket closes, outside of quotes, regular expressions and inner brackets."""
    depth, position = 0, at
    while position < len(text):
        quoted = _LITERAL.match(text, position)
        if quoted:
            position = quoted.end()
            continue
        depth += {"[": 1, "]": -1}.get(text[position], 0)
        position += 1
        if not depth:
            return position
    raise NoPath("a filter is not closed")


_LITERAL = re.compile(rf"{_QUOTED}|(?<==~)\s*/(?:\\.|[^/\\])*/\w*", re.DOTALL)
_UNQUOTED = re.compile(
    rf"(?P<kept>{_QUOTED}|=~\s*/(?:\\.|[^/\\])*/\w*)|(?P<compared>(?:==|!=|<=|>=|<|>)\s*)(?P<word>[^\W\d][\w-]*)",
    re.DOTALL,
)
_WORDS = {"true", "false", "null", "nil", "none", "undefined", "missing"}


def _quoted(text: str) -> str:
    """A filter whose unquoted literals are quoted: Jayway takes `[?(@.n==x)]`."""

    def shown(found: re.Match[str]) -> str:
        if found["kept"] is not None or found["word"] in _WORDS:
            return found[0]
        return f"{found['compared']}'{found['word']}'"

    return _UNQUOTED.sub(shown, text)
