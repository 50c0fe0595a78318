"""Documents that users write, and the JSON schemas that say what may stand in them."""

import json
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator


def schema(package: str, name: str) -> dict[str, Any]:
    """The schema that lies beside the modules of a package."""
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@cache
def validator(package: str, name: str) -> Draft202012Validator:
    """What checks a document by that schema."""
    return Draft202012Validator(schema(package, name))
