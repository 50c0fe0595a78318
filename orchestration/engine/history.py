"""The durable memory of the engine: executions and every event of them.

The twin of choreography/relay.py: nothing has an effect before its event is committed here.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson

from kernel.database import Database, Transaction
from orchestration.engine import store

HISTORY_SCHEMA = """
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
CREATE TABLE IF NOT EXISTS crash (only INTEGER PRIMARY KEY CHECK (only = 1), execution INTEGER NOT NULL, events INTEGER NOT NULL);
"""
SET_ASIDE = "Set aside: the engine died twice in a row while it worked on this execution, at the same place. Mend what kills it, then redrive it."
_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"


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


class History:
    """Reads and writes, each one transaction; those that wait together share a commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def execution(self, arn: str) -> dict[str, Any] | None:
        """The execution of this ARN, or None."""
        return await self._database.read(lambda tx: store.found(tx, "executions", arn))

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
            body = {"executionRedrivenEventDetails": {"redriveCount": row["redrives"]}}
            _add_event(tx, execution, "ExecutionRedriven", at_s, body, led=True)
            return row

        return await self._database.write(change)

    async def last_event_id(self, execution: int) -> int:
        """How many events an execution has."""
        return await self._database.read(lambda tx: _last_event_id(tx, execution))

    async def add_execution(self, row: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Keep a new execution unless its ARN is taken: its row, and whether it is new."""
        return await self._database.write(lambda tx: store.keep(tx, "executions", row))

    async def running(self) -> list[dict[str, Any]]:
        """Every execution that has not ended, oldest first."""
        return await self._database.read(
            lambda tx: tx.all("SELECT * FROM executions WHERE status = 'RUNNING' ORDER BY id")
        )

    async def is_running(self, execution: int) -> bool:
        """Whether an execution has not ended."""
        sql = "SELECT 1 FROM executions WHERE id = ? AND status = 'RUNNING'"
        return await self._database.read(lambda tx: tx.one(sql, execution) is not None)

    async def after_crash(self, execution: int, events: int, *, at_s: float) -> str | None:
        """Note what was in hand when the engine died (0 = nothing). If it was the same as the last time, with as many events,
        end it as FAILED; its ARN then.
        """

        def note(tx: Transaction) -> str | None:
            last = tx.one("SELECT execution, events FROM crash") or {}
            tx.run("DELETE FROM crash")
            if execution and (last.get("execution"), last.get("events")) != (execution, events):
                tx.run("INSERT INTO crash VALUES (1, ?, ?)", execution, events)
                return None
            row = tx.one(
                "SELECT arn FROM executions WHERE id = ? AND status = 'RUNNING'", execution
            )
            if row is None:
                return None
            tx.run(
                "UPDATE executions SET status = 'FAILED', error = ?, cause = ?, stop_s = ? WHERE id = ?",
                "States.Runtime", SET_ASIDE, at_s, execution,
            )  # fmt: skip
            body = {"executionFailedEventDetails": {"error": "States.Runtime", "cause": SET_ASIDE}}
            _add_event(tx, execution, "ExecutionFailed", at_s, body, led=True)
            return str(row["arn"])

        return await self._database.write(note)

    def append(self, execution: int, events: list[Event]) -> asyncio.Future[None]:
        """Put events in line; they are durable once the future is done, however long the disk is full."""
        rows = _event_rows(execution, events)
        return self._database.submit(lambda tx: tx.run_many(_INSERT, rows), patient=True)

    async def end(
        self, execution: int, events: list[Event], ending: Ending, *, stop_s: float
    ) -> None:
        """Make the last events and the ending durable, together, however long the disk is full."""
        rows = _event_rows(execution, events)

        def finish(tx: Transaction) -> None:
            tx.run_many(_INSERT, rows)
            tx.run(
                "UPDATE executions SET status = ?, output = ?, error = ?, cause = ?, stop_s = ?"
                " WHERE id = ? AND status = 'RUNNING'",
                ending.status, ending.output, ending.error, ending.cause, stop_s, execution,
            )  # fmt: skip

        await self._database.write(finish, patient=True)

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
            if changed:
                body = {"executionAbortedEventDetails": details}
                _add_event(tx, execution, "ExecutionAborted", stop_s, body, led=False)

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


def _add_event(
    tx: Transaction, execution: int, kind: str, at_s: float, body: dict[str, Any], *, led: bool
) -> None:
    """Append one event. `led`: it names the one before it as the one that led to it."""
    last = _last_event_id(tx, execution)
    event = Event(last + 1, last if led else 0, kind, at_s, body)
    tx.run_many(_INSERT, _event_rows(execution, [event]))


def _event_rows(execution: int, events: list[Event]) -> list[tuple[Any, ...]]:
    return [
        (execution, e.id, e.previous, e.type, e.at_s, orjson.dumps(e.details).decode(), e.branch)
        for e in events
    ]
