"""Every planted bug, by name."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from scenarios.planted import coordination, participants
from scenarios.planted.bug import Bug

BUGS: dict[str, Bug] = {bug.name: bug for bug in (*participants.BUGS, *coordination.BUGS)}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The bug of this name is in the code of this process as long as the context is open; "" = none."""
    with ExitStack() as stack:
        if name:
            BUGS[name].plant(stack)
        yield
