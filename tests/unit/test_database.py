import asyncio
import sqlite3
import threading
import time
from functools import partial

import pytest

from kernel.database import SYNCHRONOUS, Database
from kernel.memory_files import MemoryFolder

SCHEMA = "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY);"


@pytest.fixture(params=[*SYNCHRONOUS, "memory"])
def opening(request, tmp_path):
    """Opens one and the same file, with every driver: in the event loop, on aiosqlite's thread, and in memory."""
    if request.param != "memory":
        yield partial(Database.open, tmp_path / "a", schema=SCHEMA, durability=request.param)
        return
    with MemoryFolder() as folder:
        yield partial(Database.open, folder / "a", schema=SCHEMA)


def _add(n):
    return lambda tx: tx.run("INSERT INTO t VALUES (?)", n)


def _count_commits(tx, commits):
    tx._connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)


async def _all(database):
    rows = await database.read(lambda tx: tx.all("SELECT n FROM t ORDER BY n"))
    return [row["n"] for row in rows]


async def test_what_was_written_is_there_after_reopening(opening):
    async with opening() as database:
        await database.write(_add(1))
    async with opening() as database:
        assert await _all(database) == [1]


async def test_transactions_that_wait_together_share_a_commit(opening):
    commits = []
    async with opening() as database:
        await database.read(lambda tx: _count_commits(tx, commits))
        await asyncio.gather(*(database.write(_add(n)) for n in range(50)))
        assert await _all(database) == list(range(50))
    assert len(commits) < 10


async def test_one_that_asks_to_commit_alone_shares_with_nobody(opening):
    commits = []
    async with opening() as database:
        await database.read(lambda tx: _count_commits(tx, commits))
        await asyncio.gather(*(database.write(_add(n), alone=True) for n in range(5)))
    assert len(commits) == 5


async def test_a_poison_transaction_fails_alone_and_spoils_no_other(opening):
    def poison(tx):
        tx.run("INSERT INTO t VALUES (100)")
        raise ValueError("poison")

    async with opening() as database:
        works = [_add(1), poison, _add(2), _add(1)]
        results = await asyncio.gather(
            *(database.write(work) for work in works), return_exceptions=True
        )
        assert await _all(database) == [1, 2]
    assert [type(r) for r in results] == [int, ValueError, int, sqlite3.IntegrityError]


async def test_a_cancelled_writer_leaves_the_database_usable(opening):
    async with opening() as database:
        for n in range(20):
            task = asyncio.create_task(database.write(_add(n)))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await database.write(_add(1000))
        assert 1000 in await _all(database)


@pytest.mark.parametrize("durability", SYNCHRONOUS)
async def test_a_file_that_is_no_database_is_refused_and_left_untouched(tmp_path, durability):
    (tmp_path / "a").write_bytes(b"a letter, not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        async with Database.open(tmp_path / "a", schema=SCHEMA, durability=durability):
            pass
    assert (tmp_path / "a").read_bytes() == b"a letter, not a database" * 100


async def test_what_is_announced_is_heard_after_its_commit_and_never_without_one(opening):
    heard = []

    def announcing(number, *, fails):
        def work(tx):
            _add(number)(tx)
            tx.announce(number)
            if fails:
                raise ValueError(number)

        return work

    async with opening() as database:
        database.listen(heard.extend)
        await asyncio.gather(
            *(database.write(announcing(n, fails=n == 2)) for n in range(4)),
            return_exceptions=True,
        )
        database.listen(None)
        await database.write(announcing(9, fails=False))
        assert heard == [0, 1, 3]
        assert sorted(await _all(database)) == [0, 1, 3, 9]


async def test_a_database_that_cannot_be_opened_is_closed(tmp_path, monkeypatch):
    made = []

    class Watched(sqlite3.Connection):
        closed = False

        def close(self):
            self.closed = True
            super().close()

    def connect(*arguments, **more):
        made.append(sqlite3_connect(*arguments, factory=Watched, **more))
        return made[-1]

    sqlite3_connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", connect)
    (tmp_path / "a").write_bytes(b"this is no database, however long it is" * 40)
    with pytest.raises(sqlite3.DatabaseError):
        async with Database.open(tmp_path / "a", schema=SCHEMA):
            pass
    assert [connection.closed for connection in made] == [True]


async def test_an_opening_that_is_cancelled_leaves_no_thread_behind(tmp_path, monkeypatch):
    began, connect = threading.Event(), sqlite3.connect

    def slowly(*arguments, **more):
        began.set()
        time.sleep(0.1)
        return connect(*arguments, **more)

    monkeypatch.setattr(sqlite3, "connect", slowly)
    before = set(threading.enumerate())

    async def opened():
        async with Database.open(tmp_path / "a", schema=SCHEMA):
            raise AssertionError("it was cancelled before")

    task = asyncio.create_task(opened())
    await asyncio.to_thread(began.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    left = [t for t in threading.enumerate() if t not in before and "_connection_worker" in t.name]
    for thread in left:
        await asyncio.to_thread(thread.join, 5)
    assert not [thread for thread in left if thread.is_alive()]
