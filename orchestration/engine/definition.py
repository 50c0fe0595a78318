"""A state machine definition, checked before it is accepted, with the place of every fault.

This engine refuses what it cannot run, and says what it can: see checks.FIELDS and tasks.SUPPORTED.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from orchestration.engine.checks import definition_faults
from orchestration.engine.diagnostics import SCHEMA, Diagnostic
from orchestration.engine.errors import ApiError
from orchestration.engine.limits import MAX_DEFINITION_BYTES
from orchestration.engine.text import strictly


@dataclass(frozen=True, slots=True)
class Definition:
    """A checked definition. `document` is the Amazon States Language as written."""

    document: dict[str, Any]
    language: str
    timeout_s: float | None


@lru_cache(maxsize=8)
def check(text: str, *, express: bool = False) -> None:
    """Raise ApiError InvalidDefinition naming every fault of a definition and its place.

    What was found good lately is not read again.
    """
    found = diagnose(text, express=express)
    if found:
        told = ", ".join(f"{d.code}: {d.message} at {d.location or 'null'}" for d in found)
        raise ApiError("InvalidDefinition", f"Invalid State Machine Definition: '{told}'")


@lru_cache(maxsize=8)
def accepted(text: str) -> Definition:
    """The definition in a text that has been checked: an execution keeps its own, whatever is checked by now."""
    document = json.loads(text)
    return Definition(
        document=document,
        language=document.get("QueryLanguage", "JSONPath"),
        timeout_s=document.get("TimeoutSeconds"),
    )


def diagnose(text: str, *, express: bool = False) -> list[Diagnostic]:
    """Every fault of a definition; none if it can be run."""
    if not text.strip():
        return [Diagnostic(SCHEMA, "Definition must be a valid JSON object")]
    if len(text.encode(errors="replace")) > MAX_DEFINITION_BYTES:
        return [Diagnostic(SCHEMA, f"Definition must not exceed {MAX_DEFINITION_BYTES} bytes")]
    try:
        document = strictly(text)
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        return [_not_json(text, error)]
    if not isinstance(document, dict):
        return [Diagnostic(SCHEMA, "Definition must be a valid JSON object")]
    return list(definition_faults(document, express=express))


def _not_json(text: str, error: Exception) -> Diagnostic:
    word = re.match(r"\s*([A-Za-z_]\w*)", text)
    if word and word[1] not in ("true", "false", "null"):
        column = word.end() + 1
        where = f'[Source: (String)"{text}"; line: 1, column: {column}]'
        return Diagnostic(
            "INVALID_JSON_DESCRIPTION",
            f"Unrecognized token '{word[1]}': was expecting (JSON String, Number, Array, Object or token 'null',"
            f" 'true' or 'false')\n at {where}",
            where,
        )
    line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
    where = f'[Source: (String)"{text}"; line: {line}, column: {column}]'
    return Diagnostic("INVALID_JSON_DESCRIPTION", f"{error}\n at {where}", where)
