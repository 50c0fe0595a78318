"""Known saga bugs, planted on purpose so that the judge can be judged."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The bug of this name is in the code as long as the context is open; "" = none."""
    yield
