"""The durable memory of the engine: machines, executions and every event, in one SQLite file.

The twin of choreography/relay.py: nothing has an effect before its event is committed here.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from orchestration.engine.errors import HistoryDamaged
from shared_domain.database import Database, Transaction

MAX_MACHINES = 1_000
"""State machines kept in memory."""
APPLICATION_ID, FORMAT = 0x53414741, 3
SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE IF NOT EXISTS machines (arn TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,
    definition TEXT NOT NULL, type TEXT NOT NULL, created_s REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tags (arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (arn, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activities (arn TEXT PRIMARY KEY, name TEXT NOT NULL, created_s REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secret (only INTEGER PRIMARY KEY CHECK (only = 1), bytes BLOB NOT NULL);
INSERT OR IGNORE INTO secret VALUES (1, randomblob(32));
CREATE TABLE IF NOT EXISTS executions (
    id INTEGER PRIMARY KEY, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, name TEXT NOT NULL,
    definition TEXT NOT NULL, role TEXT NOT NULL,
    input TEXT NOT NULL, status TEXT NOT NULL, output TEXT, error TEXT, cause TEXT,
    start_s REAL NOT NULL, stop_s REAL,
    redrives INTEGER NOT NULL, redriven_s REAL, redrive_token TEXT);
CREATE INDEX IF NOT EXISTS of_machine ON executions (machine, id);
CREATE INDEX IF NOT EXISTS running ON executions (id) WHERE status = 'RUNNING';
CREATE TABLE IF NOT EXISTS events (execution INTEGER NOT NULL, id INTEGER NOT NULL,
    previous INTEGER NOT NULL, type TEXT NOT NULL, at_s REAL NOT NULL, details TEXT NOT NULL, branch TEXT NOT NULL,
    PRIMARY KEY (execution, id)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an execution's history. `details` has the shape of AWS's ...EventDetails.

    `branch`: which Parallel branch or Map iteration it belongs to ("" = the execution itself).
    """

    id: int
    previous: int
    type: str
    at_s: float
    details: dict[str, Any]
    branch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an execution ended: SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""

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
        self._machines: dict[str, dict[str, Any]] = {}

    async def secret(self) -> bytes:
        """What seals task tokens: made with the history, never shown."""
        row = await self._database.read(lambda tx: tx.one("SELECT bytes FROM secret"))
        return bytes(row["bytes"]) if row else b""

    async def put(self, table: str, row: dict[str, Any]) -> None:
        """Keep a machine or a tag in place of the one of the same key."""
        columns, marks = ", ".join(row), ", ".join("?" for _ in row)
        sql = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})"
        await self._database.write(lambda tx: tx.run(sql, *row.values()))
        self._machines.pop(row["arn"], None)

    async def make(
        self, table: str, row: dict[str, Any], tags: list[dict[str, str]]
    ) -> dict[str, Any]:
        """Keep a new machine or activity and its tags, unless its ARN is taken: the row that is kept."""
        columns, marks = ", ".join(row), ", ".join("?" for _ in row)

        def add(tx: Transaction) -> dict[str, Any]:
            sql = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})"
            if tx.run(sql, *row.values()):
                named = [(row["arn"], tag["key"], tag["value"]) for tag in tags]
                tx.run_many("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", named)
            kept = tx.one(f"SELECT * FROM {table} WHERE arn = ?", row["arn"])
            assert kept is not None
            return kept

        kept = await self._database.write(add)
        self._machines.pop(row["arn"], None)
        return kept

    async def get(self, table: str, arn: str) -> dict[str, Any] | None:
        """The machine, activity or execution of this ARN, or None."""
        sql = f"SELECT * FROM {table} WHERE arn = ?"
        return await self._database.read(lambda tx: tx.one(sql, arn))

    async def machine(self, arn: str) -> dict[str, Any] | None:
        """The machine of this ARN, or None. Kept in memory once read: every start looks at it."""
        # Reads and commits come back in the order in which they were carried out, so nothing stale is kept.
        if arn not in self._machines:
            row = await self.get("machines", arn)
            if row is None:
                return None
            if len(self._machines) >= MAX_MACHINES:
                self._machines.clear()
            self._machines[arn] = row
        return self._machines[arn]

    async def remove(self, table: str, arn: str, key: str | None = None) -> None:
        """Forget a machine, an activity, all tags of an ARN, or one of them."""
        where = "arn = ?" if key is None else "arn = ? AND key = ?"
        arguments = (arn,) if key is None else (arn, key)
        await self._database.write(
            lambda tx: tx.run(f"DELETE FROM {table} WHERE {where}", *arguments)
        )
        self._machines.pop(arn, None)

    async def page(self, table: str, *, after: str, limit: int) -> list[dict[str, Any]]:
        """Machines or activities in order of ARN, past `after`."""
        sql = f"SELECT * FROM {table} WHERE arn > ? ORDER BY arn LIMIT ?"
        return await self._database.read(lambda tx: tx.all(sql, after, limit))

    async def activities(self) -> list[str]:
        """The ARN of every activity."""
        rows = await self._database.read(lambda tx: tx.all("SELECT arn FROM activities"))
        return [row["arn"] for row in rows]

    async def tags(self, arn: str) -> list[dict[str, Any]]:
        """The tags of an ARN, as AWS tells them."""
        sql = "SELECT key, value FROM tags WHERE arn = ? ORDER BY key"
        return await self._database.read(lambda tx: tx.all(sql, arn))

    async def executions(
        self, machine: str, *, before: int, limit: int, status: str | None, redriven: bool | None
    ) -> list[dict[str, Any]]:
        """A machine's executions, the newest first, older than the row `before` (0 = all of them)."""
        wanted: dict[str, Any] = {"machine = ?": machine}
        if before:
            wanted["id < ?"] = before
        if status is not None:
            wanted["status = ?"] = status
        if redriven is not None:
            wanted["redrives > 0 = ?"] = redriven
        sql = f"SELECT * FROM executions WHERE {' AND '.join(wanted)} ORDER BY id DESC LIMIT ?"
        return await self._database.read(lambda tx: tx.all(sql, *wanted.values(), limit))

    async def redrive(
        self, execution: int, *, at_s: float, token: str | None
    ) -> dict[str, Any] | None:
        """Make an execution that did not succeed run again: its row, or None if it is not one."""

        def change(tx: Transaction) -> dict[str, Any] | None:
            changed = tx.run(
                "UPDATE executions SET status = 'RUNNING', output = NULL, error = NULL, cause = NULL, stop_s = NULL,"
                " redrives = redrives + 1, redriven_s = ?, redrive_token = ?"
                " WHERE id = ? AND status NOT IN ('RUNNING', 'SUCCEEDED')",
                at_s, token, execution,
            )  # fmt: skip
            if not changed:
                return None
            row = tx.one("SELECT * FROM executions WHERE id = ?", execution)
            assert row is not None
            last = _last_event_id(tx, execution)
            body = {"executionRedrivenEventDetails": {"redriveCount": row["redrives"]}}
            event = Event(last + 1, last, "ExecutionRedriven", at_s, body)
            tx.run_many(_INSERT, _event_rows(execution, [event]))
            return row

        return await self._database.write(change)

    async def last_event_id(self, execution: int) -> int:
        """How many events an execution has."""
        return await self._database.read(lambda tx: _last_event_id(tx, execution))

    async def add_execution(self, row: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Keep a new execution unless its ARN is taken: its row, and whether it is new."""
        columns, marks = ", ".join(row), ", ".join("?" for _ in row)

        def add(tx: Transaction) -> tuple[dict[str, Any], bool]:
            sql = f"INSERT OR IGNORE INTO executions ({columns}) VALUES ({marks})"
            added = tx.run(sql, *row.values())
            kept = tx.one("SELECT * FROM executions WHERE arn = ?", row["arn"])
            assert kept is not None
            return kept, added == 1

        return await self._database.write(add)

    async def running(self) -> list[dict[str, Any]]:
        """Every execution that has not ended, oldest first."""
        return await self._database.read(
            lambda tx: tx.all("SELECT * FROM executions WHERE status = 'RUNNING' ORDER BY id")
        )

    def append(self, execution: int, events: list[Event]) -> asyncio.Future[None]:
        """Put events in line; they are durable once the future is done."""
        rows = _event_rows(execution, events)
        return self._database.submit(lambda tx: tx.run_many(_INSERT, rows))

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
            last = _last_event_id(tx, execution)
            body = {"executionAbortedEventDetails": details}
            event = Event(last + 1, 0, "ExecutionAborted", stop_s, body)
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
            Event(
                r["id"],
                r["previous"],
                r["type"],
                r["at_s"],
                orjson.loads(r["details"]),
                r["branch"],
            )
            for r in rows
        ]


def _last_event_id(tx: Transaction, execution: int) -> int:
    row = tx.one("SELECT max(id) AS last FROM events WHERE execution = ?", execution)
    return (row or {}).get("last") or 0


_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"


def _event_rows(execution: int, events: list[Event]) -> list[tuple[Any, ...]]:
    return [
        (execution, e.id, e.previous, e.type, e.at_s, orjson.dumps(e.details).decode(), e.branch)
        for e in events
    ]
