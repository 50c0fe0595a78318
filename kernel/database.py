"""One SQLite database per participant, and the only way to change it: a function that runs as one transaction.

Transactions that wait at the same time share one commit (group commit), for participants of both styles,
the embedded broker's journal and the engine's history alike.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import aiosqlite

from kernel.memory_files import File, MemoryFile

T = TypeVar("T")
SYNCHRONOUS = {"process": "NORMAL", "power": "FULL"}
"""Durability -> SQLite's level under WAL: NORMAL survives kill -9, FULL survives power loss."""
_Outcome = tuple[Any, Exception | None, list[Any]]
"""(result, error, announced facts) of one transaction."""
MAX_SHARED = 256
"""Most transactions in one commit."""


def disk_failed(error: sqlite3.OperationalError) -> bool:
    """Whether the disk is full or broken, and not the statement wrong."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


class Transaction:
    """Synchronous access to one connection, inside one transaction, on the connection's thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.facts: list[Any] = []

    def announce(self, fact: Any) -> None:
        """Hand `fact` to the database's listener, in the event loop, once this is committed; never if it is not."""
        self.facts.append(fact)

    def run(self, sql: str, *arguments: Any) -> int:
        """Execute one statement; the number of rows it changed."""
        return self._connection.execute(sql, arguments).rowcount

    def insert(self, sql: str, *arguments: Any) -> int:
        """Execute one INSERT; the number of the row that it made."""
        return self._connection.execute(sql, arguments).lastrowid or 0

    def run_many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Execute one statement once per row of arguments."""
        self._connection.executemany(sql, rows)

    def one(self, sql: str, *arguments: Any) -> dict[str, Any] | None:
        """The first row as a dictionary, or None."""
        row = self._connection.execute(sql, arguments).fetchone()
        return None if row is None else dict(row)

    def all(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """Every row as a dictionary."""
        return [dict(row) for row in self._connection.execute(sql, arguments)]


class _Driver(Protocol):
    """How a connection is reached."""

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """On the connection's thread."""
        ...

    def run_here(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """On the event loop's."""
        ...


class _InLoop:
    """A connection of the event loop's own thread: no other thread takes part."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return work(self._connection)

    def run_here(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return work(self._connection)


class _OneHop(aiosqlite.Connection):
    """aiosqlite with whole functions on its thread: 76 microseconds a transaction where five awaits take 320."""

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return result

    def run_here(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Without the hop: nothing else may be on the thread meanwhile."""
        return work(self._conn)


@dataclass(slots=True)
class _Waiting(Generic[T]):
    work: Callable[[Transaction], T]
    done: asyncio.Future[T]
    alone: bool


class Database:
    """Open it with `async with Database.open(...)`; nothing else may write to the file meanwhile."""

    def __init__(self, driver: _Driver, *, in_loop: bool) -> None:
        self._driver, self._in_loop = driver, in_loop
        self._waiting: list[_Waiting[Any]] = []
        self._committer: asyncio.Task[None] | None = None
        self._closing = False
        self._listener: Callable[[list[Any]], None] | None = None
        self._thawed = asyncio.Event()
        self._thawed.set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: File, *, schema: str, durability: str = "process"
    ) -> AsyncIterator["Database"]:
        """The database at `path`, made with `schema` if it is new. Closed and checkpointed on exit.

        One in memory is reached without a thread, and what is committed is durable as long as its folder is.

        Raise sqlite3.DatabaseError if the file is not a database; it is left untouched.
        """
        async with _driver(path, schema, durability) as driver:
            # LOOK: without an fsync a transaction takes less time than to tell another thread of it, and back.
            database = cls(driver, in_loop=SYNCHRONOUS[durability] == "NORMAL")
            try:
                yield database
            finally:
                database.thaw()
                if database._committer is not None:
                    await database._committer
                database._closing = True

    async def write(self, work: Callable[[Transaction], T], *, alone: bool = False) -> T:
        """Run `work` as one transaction and return its result once it is committed.

        `work` may run more than once (the transaction is then rolled back in between), so it must
        change nothing but the database. `alone` = it shares its commit with nobody. What `work` raises
        is raised here and nothing is changed. After a cancellation the outcome is unknown.
        """
        result: T = await self.submit(work, alone=alone)
        return result

    def submit(self, work: Callable[[Transaction], T], *, alone: bool = False) -> asyncio.Future[T]:
        """Like `write`, in line at once; what is in line is committed before the database closes."""
        waiting = _Waiting(work, asyncio.get_running_loop().create_future(), alone)
        self._waiting.append(waiting)
        if self._committer is None or self._committer.done():
            self._committer = asyncio.create_task(self._commit_waiting())
        return waiting.done

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which must not write, between two transactions."""
        return await self._run(lambda connection: work(Transaction(connection)))

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closing:
            raise sqlite3.ProgrammingError("the database is closed")
        if self._in_loop:
            return self._driver.run_here(work)
        return await self._driver.run(work)

    def listen(self, listener: Callable[[list[Any]], None] | None) -> None:
        """Call `listener` with what each commit announces, in the order of commits; None = nobody listens."""
        self._listener = listener

    def freeze(self) -> None:
        """Commit nothing until `thaw`: who writes waits. The stand-in for SIGSTOP of a process that lives by its log."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Commit what has waited."""
        self._thawed.set()

    async def _commit_waiting(self) -> None:
        while self._waiting:
            await self._thawed.wait()
            batch = self._next_batch()
            works = [waiting.work for waiting in batch]
            try:
                outcomes = await self._run(lambda c, w=works: _commit(c, w))  # type: ignore[misc]
            except Exception as broken:
                outcomes = [(None, broken, [])] * len(batch)
            facts = [fact for _, _, told in outcomes for fact in told]
            if facts and self._listener is not None:
                self._listener(facts)
            for waiting, (result, error, _) in zip(batch, outcomes, strict=True):
                if waiting.done.done():
                    continue
                if error is not None:
                    waiting.done.set_exception(error)
                else:
                    waiting.done.set_result(result)

    def _next_batch(self) -> list[_Waiting[Any]]:
        until = 1 if self._waiting[0].alone else MAX_SHARED
        for position, waiting in enumerate(self._waiting[:until]):
            if waiting.alone and position:
                until = position
                break
        batch, self._waiting = self._waiting[:until], self._waiting[until:]
        return batch


@asynccontextmanager
async def _driver(path: File, schema: str, durability: str) -> AsyncIterator[_Driver]:
    if isinstance(path, MemoryFile):
        yield _InLoop(path.connect(schema))
        return

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={SYNCHRONOUS[durability]}")
            # Checkpoints off the hot path: the default of 1000 pages makes p99 ten times longer.
            connection.execute("PRAGMA wal_autocheckpoint=50000")
            connection.executescript(schema)
        except BaseException:
            connection.close()
            raise
        return connection

    driver = _OneHop(connect, iter_chunk_size=64)
    opening = asyncio.ensure_future(driver.__aenter__())
    try:
        await asyncio.shield(opening)
    except asyncio.CancelledError:
        # Its thread answers into this loop, and must not outlive it.
        await asyncio.wait([opening])
        if opening.exception() is None:
            await driver.close()
        raise
    try:
        yield driver
    finally:
        await driver.close()


def _commit(
    connection: sqlite3.Connection, works: list[Callable[[Transaction], Any]]
) -> list[_Outcome]:
    """Commit all together; if one fails, each by itself, so that one poison message harms no other."""
    outcomes: list[_Outcome] = []
    try:
        connection.execute("BEGIN IMMEDIATE")
        for work in works:
            transaction = Transaction(connection)
            outcomes.append((work(transaction), None, transaction.facts))
        connection.execute("COMMIT")
    except Exception as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if len(works) == 1:
            return [(None, error, [])]
        return [outcome for work in works for outcome in _commit(connection, [work])]
    return outcomes
