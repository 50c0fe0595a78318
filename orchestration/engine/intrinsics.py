"""The 18 intrinsic functions, one function each.

Source: Amazon States Language, "Intrinsic Functions"; AWS guide, "Intrinsic functions".
"""

import base64
import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

from orchestration.engine.limits import MAX_INTRINSIC_RANGE, MAX_INTRINSIC_TEXT
from orchestration.engine.text import strictly, text


class Template(str):
    """A text of Format as it was written, with its escapes."""

    __slots__ = ()


def _need(condition: bool, what: str) -> None:  # noqa: FBT001
    if not condition:
        raise ValueError(what)


def _whole_number(value: Any) -> int:
    """A number, rounded half up: the one rule for all functions. Raise ValueError if it is none."""
    _need(isinstance(value, int | float) and not isinstance(value, bool), "a number is needed")
    return value if isinstance(value, int) else math.floor(value + 0.5)


def _format(template: str, *values: Any) -> str:
    _need(isinstance(template, str), "a text is needed")
    # In a text that is computed a backslash is only what stands before a brace.
    escape = r"\\(.)" if isinstance(template, Template) else r"\\([{}])"
    left, parts, at = list(values), [], 0
    for found in re.finditer(rf"{escape}|\{{\}}", template, re.DOTALL):
        parts.append(template[at : found.start()])
        at = found.end()
        if found[1] is not None:
            parts.append(found[1])
            continue
        _need(bool(left), "as many arguments as {} are needed")
        parts.append(_shown(left.pop(0)))
    _need(not left, "as many arguments as {} are needed")
    return "".join([*parts, template[at:]])


def _shown(value: Any) -> str:
    """A value inside a text, as AWS writes it: {key=value}, [a, b]."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return value if isinstance(value, str) else text(value)


def _array_partition(array: list[Any], size: float) -> list[Any]:
    _need(isinstance(array, list), "an array is needed")
    step = _whole_number(size)
    _need(step > 0, "a size above 0 is needed")
    return [array[at : at + step] for at in range(0, len(array), step)]


def _array_contains(array: list[Any], value: Any) -> bool:
    _need(isinstance(array, list), "an array is needed")
    return _canonical(value) in map(_canonical, array)


def _canonical(value: Any) -> str:
    """The same text for values that are the same: 1 and 1.0, objects in any order, but not 1 and true."""
    return json.dumps(_whole(value), sort_keys=True)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _array_range(start: float, end: float, by: float) -> list[int]:
    first, last, step = map(_whole_number, (start, end, by))
    _need(step != 0, "a step other than 0 is needed")
    values = range(first, last + (1 if step > 0 else -1), step)
    _need(len(values) <= MAX_INTRINSIC_RANGE, f"at most {MAX_INTRINSIC_RANGE} items")
    return list(values)


def _array_item(array: list[Any], index: float) -> Any:
    _need(isinstance(array, list), "an array is needed")
    at = _whole_number(index)
    _need(0 <= at < len(array), "the index is outside the array")
    return array[at]


def _array_length(array: list[Any]) -> int:
    _need(isinstance(array, list), "an array is needed")
    return len(array)


def _array_unique(array: list[Any]) -> list[Any]:
    _need(isinstance(array, list), "an array is needed")
    found: dict[str, Any] = {}
    for item in array:
        found.setdefault(_canonical(item), item)
    return list(found.values())


def _base64_encode(text: str) -> str:
    _need(len(text) <= MAX_INTRINSIC_TEXT, f"at most {MAX_INTRINSIC_TEXT} characters")
    return base64.b64encode(text.encode()).decode()


def _base64_decode(text: str) -> str:
    _need(len(text) <= MAX_INTRINSIC_TEXT, f"at most {MAX_INTRINSIC_TEXT} characters")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()


def _hash(data: Any, algorithm: str) -> str:
    names = {
        "MD5": "md5",
        "SHA-1": "sha1",
        "SHA-256": "sha256",
        "SHA-384": "sha384",
        "SHA-512": "sha512",
    }
    _need(algorithm in names, f"{algorithm} is not one of {', '.join(names)}")
    plain = data if isinstance(data, str) else text(data)
    _need(len(plain) <= MAX_INTRINSIC_TEXT, f"at most {MAX_INTRINSIC_TEXT} characters")
    return hashlib.new(names[algorithm], plain.encode()).hexdigest()


def _json_merge(one: dict[str, Any], other: dict[str, Any], deep: bool) -> dict[str, Any]:  # noqa: FBT001
    _need(isinstance(one, dict), "two objects are needed")
    _need(isinstance(other, dict), "two objects are needed")
    _need(deep is False, "only shallow merging is supported")
    return {**one, **other}


def _math_random(chance: random.Random, start: float, end: float, seed: int | None = None) -> int:
    drawn = chance if seed is None else random.Random(seed)
    return drawn.randrange(_whole_number(start), _whole_number(end))


def a_uuid(chance: random.Random) -> str:
    """A random UUID, drawn from `chance`."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _math_add(one: float, other: float) -> int:
    return _whole_number(one) + _whole_number(other)


def _string_to_json(written: str) -> Any:
    """AWS takes a text without anything in it for null."""
    return strictly(written) if written.strip() else None


def _string_split(text: str, delimiters: str) -> list[str]:
    return [part for part in re.split(f"[{re.escape(delimiters)}]", text) if part]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "States.Format": _format,
    "States.StringToJson": _string_to_json,
    "States.JsonToString": text,
    "States.Array": lambda *values: list(values),
    "States.ArrayPartition": _array_partition,
    "States.ArrayContains": _array_contains,
    "States.ArrayRange": _array_range,
    "States.ArrayGetItem": _array_item,
    "States.ArrayLength": _array_length,
    "States.ArrayUnique": _array_unique,
    "States.Base64Encode": _base64_encode,
    "States.Base64Decode": _base64_decode,
    "States.Hash": _hash,
    "States.JsonMerge": _json_merge,
    "States.MathAdd": _math_add,
    "States.StringSplit": _string_split,
}
DRAWN: dict[str, Callable[..., Any]] = {"States.MathRandom": _math_random, "States.UUID": a_uuid}
"""Functions that take their values from chance."""
