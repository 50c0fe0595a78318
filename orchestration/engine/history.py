"""The durable memory of the engine: machines, executions and every event, in one SQLite file.

The twin of choreography/relay.py: nothing has an effect before its event is committed here.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from orchestration.engine.errors import HistoryDamaged
from shared_domain.database import Database, Transaction

APPLICATION_ID, FORMAT = 0x53414741, 1
SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE IF NOT EXISTS machines (arn TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,
    definition TEXT NOT NULL, created_s REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS executions (
    id INTEGER PRIMARY KEY, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, name TEXT NOT NULL,
    input TEXT NOT NULL, status TEXT NOT NULL, output TEXT, error TEXT, cause TEXT,
    start_s REAL NOT NULL, stop_s REAL);
CREATE INDEX IF NOT EXISTS running ON executions (id) WHERE status = 'RUNNING';
CREATE TABLE IF NOT EXISTS events (execution INTEGER NOT NULL, id INTEGER NOT NULL,
    previous INTEGER NOT NULL, type TEXT NOT NULL, at_s REAL NOT NULL, details TEXT NOT NULL,
    PRIMARY KEY (execution, id)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an execution's history. `details` has the shape of AWS's ...EventDetails."""

    id: int
    previous: int
    type: str
    at_s: float
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an execution ended: SUCCEEDED, FAILED or ABORTED."""

    status: str
    output: str | None = None
    error: str | None = None
    cause: str | None = None


@asynccontextmanager
async def open_history(folder: Path, *, durability: str) -> AsyncIterator["History"]:
    """The history in `folder`. Raise HistoryDamaged if its file is torn or another program's."""
    path = folder / "history.sqlite"
    _check(path)
    async with Database.open(path, schema=SCHEMA, durability=durability) as database:
        yield History(database)


def _check(path: Path) -> None:
    if not path.exists():
        return
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            marks = [
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version")
            ]
            intact = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise HistoryDamaged(f"{path}: {error}") from error
    if marks != [APPLICATION_ID, FORMAT] or intact != "ok":
        raise HistoryDamaged(f"{path} is not a history of this engine (format {FORMAT})")


class History:
    """Reads and writes of the engine, each one transaction; those that wait together share a commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_machine(
        self, *, arn: str, name: str, role: str, definition: str, at_s: float
    ) -> None:
        """Keep a state machine, or replace the one of this ARN."""
        await self._database.write(
            lambda tx: tx.run(
                "INSERT OR REPLACE INTO machines VALUES (?, ?, ?, ?, ?)",
                arn, name, role, definition, at_s,
            )
        )  # fmt: skip

    async def machine(self, arn: str) -> dict[str, Any] | None:
        """The machine of this ARN, or None."""
        return await self._database.read(
            lambda tx: tx.one("SELECT * FROM machines WHERE arn = ?", arn)
        )

    async def add_execution(
        self, *, arn: str, machine: str, name: str, input_text: str, start_s: float
    ) -> tuple[dict[str, Any], bool]:
        """Keep a new execution unless its ARN is taken: its row, and whether it is new."""

        def add(tx: Transaction) -> tuple[dict[str, Any], bool]:
            added = tx.run(
                "INSERT OR IGNORE INTO executions (arn, machine, name, input, status, start_s)"
                " VALUES (?, ?, ?, ?, 'RUNNING', ?)",
                arn, machine, name, input_text, start_s,
            )  # fmt: skip
            row = tx.one("SELECT * FROM executions WHERE arn = ?", arn)
            assert row is not None
            return row, added == 1

        return await self._database.write(add)

    async def execution(self, arn: str) -> dict[str, Any] | None:
        """The execution of this ARN, or None."""
        return await self._database.read(
            lambda tx: tx.one("SELECT * FROM executions WHERE arn = ?", arn)
        )

    async def running(self) -> list[dict[str, Any]]:
        """Every execution that has not ended, oldest first."""
        return await self._database.read(
            lambda tx: tx.all("SELECT * FROM executions WHERE status = 'RUNNING' ORDER BY id")
        )

    async def append(self, execution: int, events: list[Event]) -> None:
        """Make events durable."""
        rows = _event_rows(execution, events)
        await self._database.write(lambda tx: tx.run_many(_INSERT, rows))

    async def end(
        self, execution: int, events: list[Event], ending: Ending, *, stop_s: float
    ) -> None:
        """Make the last events and the ending durable, together."""
        rows = _event_rows(execution, events)

        def finish(tx: Transaction) -> None:
            tx.run_many(_INSERT, rows)
            tx.run(
                "UPDATE executions SET status = ?, output = ?, error = ?, cause = ?, stop_s = ?"
                " WHERE id = ? AND status = 'RUNNING'",
                ending.status, ending.output, ending.error, ending.cause, stop_s, execution,
            )  # fmt: skip

        await self._database.write(finish)

    async def abort(self, execution: int, ending: Ending, *, stop_s: float) -> None:
        """End an execution that is still running as ABORTED, after whatever it has written by then."""
        told = {"error": ending.error, "cause": ending.cause}
        details = {key: value for key, value in told.items() if value is not None}

        def finish(tx: Transaction) -> None:
            changed = tx.run(
                "UPDATE executions SET status = ?, error = ?, cause = ?, stop_s = ?"
                " WHERE id = ? AND status = 'RUNNING'",
                ending.status, ending.error, ending.cause, stop_s, execution,
            )  # fmt: skip
            if not changed:
                return
            row = tx.one("SELECT max(id) AS last FROM events WHERE execution = ?", execution)
            last = (row or {}).get("last") or 0
            body = {"executionAbortedEventDetails": details}
            event = Event(last + 1, last, "ExecutionAborted", stop_s, body)
            tx.run_many(_INSERT, _event_rows(execution, [event]))

        await self._database.write(finish)

    async def events(
        self, execution: int, *, after: int = 0, limit: int = -1, newest_first: bool = False
    ) -> list[Event]:
        """Events in order of id; `after` is the last id already seen (0 = none)."""
        compare, order = (
            ("<", "DESC") if newest_first and after else (">", "DESC" if newest_first else "")
        )
        rows = await self._database.read(
            lambda tx: tx.all(
                f"SELECT * FROM events WHERE execution = ? AND id {compare} ? ORDER BY id {order} LIMIT ?",
                execution,
                after,
                limit,
            )
        )
        return [
            Event(r["id"], r["previous"], r["type"], r["at_s"], orjson.loads(r["details"]))
            for r in rows
        ]


_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)"


def _event_rows(execution: int, events: list[Event]) -> list[tuple[Any, ...]]:
    return [
        (execution, e.id, e.previous, e.type, e.at_s, orjson.dumps(e.details).decode())
        for e in events
    ]
