"""A saga by its name, an edition of an exhibit by NAME.EDITION, or a saga from a folder of a user's own."""

import importlib
import re
import sys
import traceback
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from kernel.errors import UsageError
from kernel.pages import check_pages, in_rows_of, place
from kernel.saga import Saga

T = TypeVar("T")

BUILT_IN = "shared_domain"
EXHIBITS = "exhibits"
DEFAULT = "order"


@cache
def load_saga(where: str) -> Saga:
    """The SAGA in `saga.py` of that folder, of the built-in saga or of the edition of that name; the same value each time.

    Raise UsageError if there is none, or if its pages name what it does not have. A name that is built in is never taken for a
    folder: say ./NAME.
    """
    saga = read_saga(where)
    check_pages(saga, package_of(where))
    return saga


@cache
def read_saga(where: str) -> Saga:
    """The same, its pages unread."""
    found = load_part(where, "saga", "SAGA", Saga)
    if not _package(where):
        # LOOK: the value itself, not a copy: planted bugs patch what its module has.
        object.__setattr__(found, "where", str(Path(where).resolve()))
    return found


def load_part(where: str, module: str, name: str, kind: type[T]) -> T:
    """What `name` is in a module of a saga's folder.

    Raise UsageError if it is not there or no `kind`, or, with file and line, if there is an error in the folder's code.
    """
    package = package_of(where)
    home = package if module == "saga" else home_of(where)
    try:
        loaded = importlib.import_module(f"{home}.{module}")
    except Exception as error:
        raise UsageError(_in_words(where, package, error)) from error
    if not (_package(where) or Path(str(loaded.__file__)).is_relative_to(Path(where).resolve())):
        raise UsageError(
            f"{where!r} has the name of another Python package, {loaded.__file__}: rename the folder"
        )
    found = getattr(loaded, name, None)
    if not isinstance(found, kind):
        raise UsageError(f"{place(str(loaded.__file__))}: {name} is no {kind.__name__}")
    return found


def _in_words(where: str, package: str, error: Exception) -> str:
    """What is wrong in the folder's code, and where: the last line of it that ran, or that could not be read."""
    folder = Path(str(find_spec(package).origin)).parent if _package(where) else Path(where)  # type: ignore[union-attr]
    says = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError) and error.filename:
        return f"{place(error.filename, error.lineno or 0)}: {type(error).__name__}: {error.msg}"
    inside = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(folder.resolve())
    ]
    if not inside:
        return f"{where!r} is no saga: {says}"
    at = place(inside[-1].filename, inside[-1].lineno or 0)
    if row := re.search(r", row (\w+):", says):
        at = in_rows_of(Path(inside[-1].filename), row[1])
    return f"{at}: {says}"


def package_of(where: str) -> str:
    """The Python package of a saga. Raise UsageError if there is none."""
    if package := _package(where):
        return package
    folder = Path(where).resolve()
    if not (folder / "saga.py").exists() or not folder.name.isidentifier():
        raise UsageError(f"{where!r} is neither a built-in saga nor a folder with a saga.py in it")
    if str(folder.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent))
    return folder.name


def home_of(where: str) -> str:
    """The package that has a saga's scenarios and planted bugs: the editions of an exhibit share those that lie beside them."""
    package = package_of(where)
    return package.rpartition(".")[0] if package.startswith(f"{EXHIBITS}.") else package


def _package(where: str) -> str:
    """The package of a built-in saga or of an exhibit's edition, "" = it is neither."""
    exhibit, _, edition = where.partition(".")
    if where.isidentifier():
        package = f"{BUILT_IN}.{where}"
    elif exhibit.isidentifier() and edition.isidentifier() and find_spec(f"{EXHIBITS}.{exhibit}"):
        package = f"{EXHIBITS}.{where}"
    else:
        return ""
    return package if find_spec(package) else ""
