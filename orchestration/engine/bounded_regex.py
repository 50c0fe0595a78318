"""Regular expressions of a definition's author, which must not stop an engine that serves others."""

import re
from functools import lru_cache

import regex

from orchestration.engine.errors import Fault
from orchestration.engine.limits import MAX_CACHED, MAX_REGEX_S


@lru_cache(maxsize=MAX_CACHED)
def _compiled(pattern: str, flags: int) -> regex.Pattern[str]:
    known = {
        re.IGNORECASE: regex.IGNORECASE,
        re.MULTILINE: regex.MULTILINE,
        re.DOTALL: regex.DOTALL,
    }
    return regex.compile(pattern, sum(theirs for ours, theirs in known.items() if flags & ours))


def matches(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a whole text matches. Raise States.Runtime, which names the limit, if that takes too long."""
    try:
        found = _compiled(pattern.pattern, pattern.flags).fullmatch(text, timeout=MAX_REGEX_S)
    except TimeoutError as error:
        raise Fault(
            "States.Runtime",
            f"The regular expression '{pattern.pattern}' took longer than {1000 * MAX_REGEX_S:.0f} ms",
        ) from error
    return found is not None
