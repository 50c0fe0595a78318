"""A saga by its name, or from a folder of a user's own."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from kernel.errors import UsageError
from kernel.saga import Saga

T = TypeVar("T")

BUILT_IN = "shared_domain"
DEFAULT = "order"


def load_saga(where: str) -> Saga:
    """The SAGA in `saga.py` of that folder, or of the built-in saga of that name.

    Raise UsageError if there is none.
    """
    found = load_part(where, "saga", "SAGA", Saga)
    return (
        found
        if package_of(where).startswith(BUILT_IN)
        else replace(found, where=str(Path(where).resolve()))
    )


def load_part(where: str, module: str, name: str, kind: type[T]) -> T:
    """What `name` is in a module of a saga's folder. Raise UsageError if it is not there or no `kind`."""
    package = package_of(where)
    try:
        found = getattr(importlib.import_module(f"{package}.{module}"), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{where!r} is no saga: {error}") from error
    if not isinstance(found, kind):
        raise UsageError(f"{name} in {module}.py of {where!r} is no {kind.__name__}")
    return found


def package_of(where: str) -> str:
    """The Python package of a saga. Raise UsageError if there is none."""
    if where.isidentifier() and not Path(where, "saga.py").exists():
        return f"{BUILT_IN}.{where}"
    folder = Path(where).resolve()
    if not (folder / "saga.py").exists() or not folder.name.isidentifier():
        raise UsageError(f"{where!r} is neither a built-in saga nor a folder with a saga.py in it")
    if str(folder.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent))
    return folder.name
