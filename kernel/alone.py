"""One at a time: a lock on a folder or a file that ends with the process that holds it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel.errors import UsageError


@contextmanager
def alone(lock: Path, *, busy: str) -> Iterator[None]:
    """Hold the lock file `lock`, which is made if it is new. Raise UsageError with `busy` if another one holds it.

    Of this process too: whoever opens it twice is refused the second time. A holder that is killed holds it no more.
    """
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(busy) from error
        yield


def is_free(lock: Path) -> bool:
    """Whether nobody holds a lock file; one that is not there is free."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True
