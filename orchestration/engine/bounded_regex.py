"""Regular expressions of a definition's author, which must not stop an engine that serves others."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import regex
from jsonata.regex_engine import RegexFlags

from orchestration.engine.errors import Fault
from orchestration.engine.limits import MAX_CACHED, MAX_REGEX_S


class TookTooLong(Exception):
    """A regular expression that was given up; the message names it and the limit."""

    def __init__(self, pattern: str) -> None:
        super().__init__(
            f"The regular expression '{pattern}' took longer than {1000 * MAX_REGEX_S:.0f} ms"
        )


class Bounded:
    """A pattern whose every search has a time limit. Methods are those of re.Pattern; they raise TookTooLong."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.pattern = pattern
        self._compiled = regex.compile(pattern, flags)

    def fullmatch(self, string: str) -> Any:
        """See re."""
        return self._in_time(lambda: self._compiled.fullmatch(string, timeout=MAX_REGEX_S))

    def search(self, string: str) -> Any:
        """See re."""
        return self._in_time(lambda: self._compiled.search(string, timeout=MAX_REGEX_S))

    def finditer(self, string: str) -> Iterator[Any]:
        """See re; all matches together have one limit."""
        found: list[Any] = self._in_time(
            lambda: list(self._compiled.finditer(string, timeout=MAX_REGEX_S))
        )
        return iter(found)

    def sub(self, repl: Any, string: str, count: int = 0) -> str:
        """See re."""
        done: str = self._in_time(
            lambda: self._compiled.sub(repl, string, count=count, timeout=MAX_REGEX_S)
        )
        return done

    def split(self, string: str, maxsplit: int = 0) -> list[str]:
        """See re."""
        parts: list[str] = self._in_time(
            lambda: list(self._compiled.split(string, maxsplit, timeout=MAX_REGEX_S))
        )
        return parts

    def _in_time(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except TimeoutError:
            raise TookTooLong(self.pattern) from None


def of_jsonata(pattern: str, flags: RegexFlags) -> Bounded:
    """The engine that JSONata's regular expressions are compiled with."""
    chosen = (flags.case_insensitive, regex.IGNORECASE), (flags.multiline, regex.MULTILINE)
    return Bounded(pattern, sum(int(flag) for wanted, flag in chosen if wanted))


@lru_cache(maxsize=MAX_CACHED)
def _of_python(pattern: str, flags: int) -> Bounded:
    known = ((re.IGNORECASE, regex.IGNORECASE), (re.MULTILINE, regex.MULTILINE), (re.DOTALL, regex.DOTALL))  # fmt: skip
    return Bounded(pattern, sum(int(theirs) for ours, theirs in known if flags & ours))


def matches(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a whole text matches. Raise States.Runtime, which names the limit, if that takes too long."""
    try:
        return _of_python(pattern.pattern, pattern.flags).fullmatch(text) is not None
    except TookTooLong as error:
        raise Fault("States.Runtime", str(error)) from error
