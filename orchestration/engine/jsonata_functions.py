"""JSONata as AWS has it: the functions that it adds, and the words of its errors."""

import hashlib
import json
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

import jsonata

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_MANY = {
    "a": "arrays",
    "b": "booleans",
    "f": "functions",
    "n": "numbers",
    "o": "objects",
    "s": "strings",
}
_FIELD = re.compile(r"\{\{\{\w+\}\}\}|\{\{\w+\}\}")


def wording(error: Exception) -> str:
    """How a cause ends: the code and the message of JSONata's reference implementation."""
    if not isinstance(error, jsonata.JException):
        return f": {error}"
    return f". {error.error}: {message(error)}"


def message(error: jsonata.JException) -> str:
    """The message alone. The library writes values without quotes, and "function" as "Object"."""
    template = jsonata.JException.error_codes.get(error.error)
    if template is None:
        return str(error)
    kind = _MANY.get(str(error.extra), error.extra) if error.error == "T0412" else error.extra
    values = iter((error.current, error.expected, kind))

    def shown(found: re.Match[str]) -> str:
        value = next(values, "")
        plain = found[0].startswith("{{{")
        return str(value) if plain else json.dumps(value, ensure_ascii=False, default=str)

    return _FIELD.sub(shown, template).replace("Object", "function")


def _partition(array: list[Any], size: int) -> list[Any]:
    return [array[at : at + int(size)] for at in range(0, len(array), int(size))]


def _range(first: int, last: int, step: int) -> Any:
    numbers = list(range(int(first), int(last) + (1 if step > 0 else -1), int(step)))
    return numbers[0] if len(numbers) == 1 else numbers  # a sequence of one is that one


def _hash(text: Any, algorithm: str = "SHA-256") -> str:
    plain = text if isinstance(text, str) else json.dumps(text, separators=(",", ":"))
    return hashlib.new(algorithm.replace("SHA-", "sha").lower(), plain.encode()).hexdigest()


def _random(seed: float | None = None) -> float:
    return random.Random(seed).random()


def _no_eval(expression: Any, context: Any = None) -> Any:
    raise jsonata.JException("T1006", -1)


def _number(value: Any) -> Any:
    """The library's own lets a text that is no number through to Python."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise jsonata.JException("D3030", -1, value)
        return json.loads(value)
    return value


ADDED: dict[str, Callable[..., Any]] = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": _random,
    "uuid": lambda: str(uuid.uuid4()),
    "parse": json.loads,
}
"""What AWS adds to JSONata."""
FUNCTIONS = ADDED | {"eval": _no_eval, "number": _number}
"""What differs from the library: also $eval, which AWS has not, and $number."""
