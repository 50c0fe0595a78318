"""JSONata as AWS has it: the functions that it adds, and the words of its errors."""

import hashlib
import json
import random
import re
from collections.abc import Callable
from typing import Any

import jsonata
from jsonata.functions import Functions
from jsonata.timebox import Timebox

from orchestration.engine.intrinsics import a_uuid
from orchestration.engine.limits import MAX_JSONATA_MS, MAX_JSONATA_RANGE, MAX_PAYLOAD_BYTES
from orchestration.engine.paths import Scope
from orchestration.engine.text import strictly

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_MANY = {
    "a": "arrays",
    "b": "booleans",
    "f": "functions",
    "n": "numbers",
    "o": "objects",
    "s": "strings",
}
_MEMORY = "Expression evaluation memory limit exceeded: Check for excessive memory usage"
_FIELD = re.compile(r"\{\{\{\w+\}\}\}|\{\{\w+\}\}")


def wording(error: Exception) -> str:
    """How a cause ends: the code and the message of JSONata's reference implementation."""
    if isinstance(error, RecursionError):
        return ": Stack overflow error: Check for non-terminating recursive function."
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


def _hash(text: Any, algorithm: str = "SHA-256") -> str:
    plain = text if isinstance(text, str) else json.dumps(text, separators=(",", ":"))
    return hashlib.new(algorithm.replace("SHA-", "sha").lower(), plain.encode()).hexdigest()


def _range(first: int, last: int, step: int) -> Any:
    numbers = range(int(first), int(last) + (1 if step > 0 else -1), int(step))
    if len(numbers) > MAX_JSONATA_RANGE:
        raise MemoryError(_MEMORY)
    return numbers[0] if len(numbers) == 1 else list(numbers)  # a sequence of one is that one


def _pad(text: Any, width: Any, character: Any = None) -> Any:
    wide: Any = width
    if isinstance(wide, int | float) and abs(wide) > MAX_PAYLOAD_BYTES:
        raise MemoryError(_MEMORY)
    padded: Any = Functions.pad(text, width, character)
    return padded


class BoundedJsonata(jsonata.Jsonata):  # type: ignore[misc]  # the library has no types
    """The library, in which a range cannot fill the memory; time and depth are bounded by its Timebox."""

    def evaluate_range_expression(self, lhs: Any, rhs: Any) -> Any:
        """The value of [lhs..rhs]."""
        if isinstance(lhs, int) and isinstance(rhs, int) and rhs - lhs >= MAX_JSONATA_RANGE:
            raise MemoryError(_MEMORY)
        return super().evaluate_range_expression(lhs, rhs)


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


def of_scope(scope: Scope) -> dict[str, Any]:
    """What differs from one evaluation to the next: chance, the time, and how long it may take.

    Time stands still at the last event, so that a replay finds what the first run found.
    """
    now_ms = int(1000 * scope.at_s)

    def draw(seed: float | None = None) -> float:
        return (scope.chance if seed is None else random.Random(seed)).random()

    def now(picture: str | None = None, zone: str | None = None) -> Any:
        return Functions.datetime_from_millis(now_ms, picture, zone)

    made: dict[str, Callable[..., Any]] = {
        "random": draw,
        "uuid": lambda: a_uuid(scope.chance),
        "millis": lambda: now_ms,
        "now": now,
    }
    bounds = _Bounds()
    Timebox(bounds, timeout=MAX_JSONATA_MS)
    return {name: jsonata.Jsonata.JLambda(run) for name, run in made.items()} | bounds


class _Bounds(dict[str, Any]):
    """Where the library's Timebox puts its callbacks: bindings of one evaluation."""

    def set_evaluate_entry_callback(self, callback: Callable[..., Any]) -> None:
        self["__evaluate_entry"] = callback

    def set_evaluate_exit_callback(self, callback: Callable[..., Any]) -> None:
        self["__evaluate_exit"] = callback


ADDED: dict[str, Callable[..., Any]] = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "parse": strictly,
}
"""What AWS adds to JSONata, besides `$random` and `$uuid`."""
FUNCTIONS = ADDED | {"eval": _no_eval, "number": _number, "pad": _pad}
"""What differs from the library: also $eval, which AWS has not, $number, and $pad, which is bounded."""
