"""SQLite files that live in memory: nothing of them touches a disk, and they outlive whoever has them open."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Self


class MemoryFile:
    """One file. It is made when it is first opened, and there is one connection to it."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None

    def connect(self, schema: str) -> sqlite3.Connection:
        """The connection, to a database made with `schema` if it is new."""
        if self._connection is None:
            connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
            connection.row_factory = sqlite3.Row
            connection.deserialize(_made_with(schema))
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Lose what is in it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class MemoryFolder:
    """Files by name, as `folder / name`. Use it as a context manager: leaving it loses them all."""

    def __init__(self) -> None:
        self._files: dict[str, MemoryFile] = {}

    def __truediv__(self, name: str) -> MemoryFile:
        return self._files.setdefault(name, MemoryFile())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()


Folder = Path | MemoryFolder
File = Path | MemoryFile


@cache
def _made_with(schema: str) -> bytes:
    """A new database to copy: that takes a quarter of the time in which its schema is carried out."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(schema)
        return connection.serialize()
