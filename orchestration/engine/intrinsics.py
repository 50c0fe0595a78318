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
from orchestration.engine.text import text


def _format(template: str, *values: Any) -> str:
    parts = re.split(r"(?<!\\)\{\}", template)
    assert len(parts) - 1 == len(values), "as many arguments as {} are needed"
    shown = [_shown(v) for v in values]
    text = "".join(part + value for part, value in zip(parts, [*shown, ""], strict=True))
    return text.replace("\\{", "{").replace("\\}", "}")


def _shown(value: Any) -> str:
    """A value inside a text, as AWS writes it: {key=value}, [a, b]."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return value if isinstance(value, str) else text(value)


def _array_partition(array: list[Any], size: float) -> list[Any]:
    assert isinstance(array, list), "an array is needed"
    step = round(size)
    assert step > 0, "a size above 0 is needed"
    return [array[at : at + step] for at in range(0, len(array), step)]


def _array_contains(array: list[Any], value: Any) -> bool:
    assert isinstance(array, list), "an array is needed"
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
    first, last, step = round(start), round(end), round(by)
    assert step != 0, "a step other than 0 is needed"
    values = range(first, last + (1 if step > 0 else -1), step)
    assert len(values) <= MAX_INTRINSIC_RANGE, f"at most {MAX_INTRINSIC_RANGE} items"
    return list(values)


def _array_item(array: list[Any], index: int) -> Any:
    assert isinstance(array, list), "an array is needed"
    assert 0 <= index < len(array), "the index is outside the array"
    return array[index]


def _array_length(array: list[Any]) -> int:
    assert isinstance(array, list), "an array is needed"
    return len(array)


def _array_unique(array: list[Any]) -> list[Any]:
    assert isinstance(array, list), "an array is needed"
    found: dict[str, Any] = {}
    for item in array:
        found.setdefault(_canonical(item), item)
    return list(found.values())


def _base64_encode(text: str) -> str:
    assert len(text) <= MAX_INTRINSIC_TEXT, f"at most {MAX_INTRINSIC_TEXT} characters"
    return base64.b64encode(text.encode()).decode()


def _base64_decode(text: str) -> str:
    assert len(text) <= MAX_INTRINSIC_TEXT, f"at most {MAX_INTRINSIC_TEXT} characters"
    return base64.b64decode(text).decode()


def _hash(data: Any, algorithm: str) -> str:
    names = {
        "MD5": "md5",
        "SHA-1": "sha1",
        "SHA-256": "sha256",
        "SHA-384": "sha384",
        "SHA-512": "sha512",
    }
    assert algorithm in names, f"{algorithm} is not one of {', '.join(names)}"
    plain = data if isinstance(data, str) else text(data)
    assert len(plain) <= MAX_INTRINSIC_TEXT, f"at most {MAX_INTRINSIC_TEXT} characters"
    return hashlib.new(names[algorithm], plain.encode()).hexdigest()


def _json_merge(one: dict[str, Any], other: dict[str, Any], deep: bool) -> dict[str, Any]:  # noqa: FBT001
    assert isinstance(one, dict), "two objects are needed"
    assert isinstance(other, dict), "two objects are needed"
    assert deep is False, "only shallow merging is supported"
    return {**one, **other}


def _math_random(chance: random.Random, start: float, end: float, seed: int | None = None) -> int:
    drawn = chance if seed is None else random.Random(seed)
    return drawn.randrange(round(start), round(end))


def a_uuid(chance: random.Random) -> str:
    """A random UUID, drawn from `chance`."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _math_add(one: float, other: float) -> int:
    assert all(isinstance(n, int | float) and not isinstance(n, bool) for n in (one, other))
    return _half_up(one) + _half_up(other)


def _half_up(number: float) -> int:
    return math.floor(number + 0.5)


def _string_split(text: str, delimiters: str) -> list[str]:
    return [part for part in re.split(f"[{re.escape(delimiters)}]", text) if part]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "States.Format": _format,
    "States.StringToJson": json.loads,
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
