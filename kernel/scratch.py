"""Temporary folders that a kill leaves behind only until somebody looks: each is locked by the process that uses it."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel.alone import alone, is_free

_PREFIX = "saga-"
_LOCK = ".saga.lock"
"""Whose a folder is: others may call theirs saga-..., too."""
_YOUNG_S = 60.0
"""A folder is younger than this when it has been made and not yet locked."""


@contextmanager
def scratch(purpose: str) -> Iterator[Path]:
    """An empty temporary folder for this process alone; what killed processes have left is removed first."""
    for left in leftovers():
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{_PREFIX}{purpose}-", ignore_cleanup_errors=True
    ) as made:
        folder = Path(made)
        with alone(folder / _LOCK, busy=f"{folder} is in use"):
            inner = folder / "in"
            inner.mkdir()
            yield inner


def leftovers() -> list[Path]:
    """The temporary folders of ours that no process uses any more."""
    found = []
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        with contextlib.suppress(OSError):
            lock = folder / _LOCK
            old = time.time() - folder.stat().st_mtime > _YOUNG_S
            if old and lock.exists() and is_free(lock):
                found.append(folder)
    return sorted(found)
