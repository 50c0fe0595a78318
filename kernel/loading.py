"""A saga by its name, or from a folder of a user's own."""

import importlib
import sys
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from kernel.errors import UsageError
from kernel.saga import Saga

T = TypeVar("T")

BUILT_IN = "shared_domain"
DEFAULT = "order"


@cache
def load_saga(where: str) -> Saga:
    """The SAGA in `saga.py` of that folder, or of the built-in saga of that name; the same value each time.

    Raise UsageError if there is none. A name that is built in is never taken for a folder: say ./NAME.
    """
    found = load_part(where, "saga", "SAGA", Saga)
    return found if _built_in(where) else replace(found, where=str(Path(where).resolve()))


def load_part(where: str, module: str, name: str, kind: type[T]) -> T:
    """What `name` is in a module of a saga's folder. Raise UsageError if it is not there or no `kind`."""
    package = package_of(where)
    try:
        loaded = importlib.import_module(f"{package}.{module}")
        found = getattr(loaded, name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{where!r} is no saga: {error}") from error
    if not (_built_in(where) or Path(str(loaded.__file__)).is_relative_to(Path(where).resolve())):
        raise UsageError(
            f"{where!r} has the name of another Python package, {loaded.__file__}: rename the folder"
        )
    if not isinstance(found, kind):
        raise UsageError(f"{name} in {module}.py of {where!r} is no {kind.__name__}")
    return found


def package_of(where: str) -> str:
    """The Python package of a saga. Raise UsageError if there is none."""
    if _built_in(where):
        return f"{BUILT_IN}.{where}"
    folder = Path(where).resolve()
    if not (folder / "saga.py").exists() or not folder.name.isidentifier():
        raise UsageError(f"{where!r} is neither a built-in saga nor a folder with a saga.py in it")
    if str(folder.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent))
    return folder.name


def _built_in(where: str) -> bool:
    return where.isidentifier() and find_spec(f"{BUILT_IN}.{where}") is not None
