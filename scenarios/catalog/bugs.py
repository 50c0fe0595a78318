"""The bugs that can be planted in a saga."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec

from kernel.loading import home_of, load_part
from scenarios.catalog.bug import Bug


@cache
def bugs_of(address: str) -> dict[str, Bug]:
    """Name -> bug: `bugs/index.py` of the saga's folder, if there is one. `address`: see Saga."""
    if find_spec(f"{home_of(address)}.bugs") is None:
        return {}
    found: dict[str, Bug] = load_part(address, "bugs.index", "BUGS", dict)
    return found


@contextmanager
def planted(address: str, name: str) -> Iterator[None]:
    """The bug of this name is in the code of this process as long as the context is open; "" = none."""
    with ExitStack() as stack:
        if name:
            bugs_of(address)[name].plant(stack)
        yield
