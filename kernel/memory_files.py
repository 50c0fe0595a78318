"""SQLite files that live in memory: nothing of them touches a disk, and they outlive whoever has them open."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from threading import get_ident
from typing import Self


class MemoryFile:
    """One file. It is made when it is first opened, and there is one connection to it."""

    def __init__(self, *, reused: bool) -> None:
        self._connection: sqlite3.Connection | None = None
        self._schema, self._reused = "", reused

    def connect(self, schema: str) -> sqlite3.Connection:
        """The connection, to a database made with `schema` if it is new."""
        if self._connection is None:
            waiting = _idle(get_ident(), schema) if self._reused else None
            self._connection = waiting.pop() if waiting else _new(schema)
            self._schema = schema
        return self._connection

    def close(self) -> None:
        """Lose what is in it."""
        if self._connection is not None:
            if self._reused:
                _put_aside(self._schema, self._connection)
            else:
                self._connection.close()
            self._connection = None


class MemoryFolder:
    """Files by name, as `folder / name`. Use it as a context manager: leaving it loses them all.

    `reused`: their connections are emptied and used again by the next such folder. Nobody may have changed a setting of one.
    """

    def __init__(self, *, reused: bool = False) -> None:
        self._reused = reused
        self._files: dict[str, MemoryFile] = {}

    def __truediv__(self, name: str) -> MemoryFile:
        return self._files.setdefault(name, MemoryFile(reused=self._reused))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()


Folder = Path | MemoryFolder
File = Path | MemoryFile


_MOST_IDLE = 4
"""Empty databases of each schema in each thread that wait to be used again."""


def _new(schema: str) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
    connection.row_factory = sqlite3.Row
    connection.deserialize(_made_with(schema))
    return connection


def _put_aside(schema: str, connection: sqlite3.Connection) -> None:
    waiting = _idle(get_ident(), schema)
    if connection.in_transaction or len(waiting) >= _MOST_IDLE:
        connection.close()
        return
    for table in _tables(schema):
        connection.execute(f"DELETE FROM {table}")
    waiting.append(connection)


@cache
def _idle(thread: int, schema: str) -> list[sqlite3.Connection]:
    """Emptying a database takes a third of the time in which one is made, and its statements are kept."""
    return []


@cache
def _tables(schema: str) -> list[str]:
    """Every table, SQLite's counters of rows included."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema)
        return [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]


@cache
def _made_with(schema: str) -> bytes:
    """A new database to copy: that takes a quarter of the time in which its schema is carried out."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(schema)
        return connection.serialize()
