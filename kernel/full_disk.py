"""A disk without room: how SQLite reports it, how long to wait before the next attempt, and what the log says of it."""

import logging
import sqlite3
import time

_LOG = logging.getLogger(__name__)
FIRST_RETRY_S, LONGEST_RETRY_S = 0.05, 1.0
"""The wait doubles from the first of these to the second."""
_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
"""The second: no room for the index of the write-ahead log."""


def is_full(error: BaseException | None) -> bool:
    """Whether a transaction failed because the disk has no room. It is then rolled back, and may succeed later."""
    return isinstance(error, sqlite3.OperationalError) and (
        getattr(error, "sqlite_errorcode", None) in _CODES
    )


def disk_failed(error: sqlite3.OperationalError) -> bool:
    """Whether the disk is full or broken, and not the statement wrong. A commit that failed so may have been made."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


class FullDisk:
    """Whether a database's disk is full: one line of log when that begins, and one when it is over."""

    def __init__(self, path: object) -> None:
        self._path = path
        self._since_s: float | None = None
        self._retry_s = FIRST_RETRY_S

    def note(self, error: Exception) -> None:
        """A commit found no room."""
        if self._since_s is None:
            self._since_s = time.monotonic()
            _LOG.error("%s: %s: make room, what waits goes on within a second", self._path, error)

    def over(self) -> None:
        """A commit succeeded."""
        if self._since_s is not None:
            spent_s = time.monotonic() - self._since_s
            _LOG.warning("%s: there is room again after %.1f s", self._path, spent_s)
            self._since_s, self._retry_s = None, FIRST_RETRY_S

    def next_retry_s(self) -> float:
        """How long to wait before the next attempt, in seconds."""
        wait_s, self._retry_s = self._retry_s, min(2 * self._retry_s, LONGEST_RETRY_S)
        return wait_s
