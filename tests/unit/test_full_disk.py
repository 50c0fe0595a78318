"""A database whose disk is full: SQLite's own limit of pages stands in for the disk."""

import asyncio
import logging
import sqlite3
import threading
import time
from functools import partial

import pytest

from kernel.database import SYNCHRONOUS, Database
from kernel.full_disk import is_full
from kernel.memory_files import MemoryFolder

SCHEMA = "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, what TEXT);"
LONG = "x" * 50_000


@pytest.fixture(params=[*SYNCHRONOUS, "memory"])
def opening(request, tmp_path):
    if request.param != "memory":
        yield partial(Database.open, tmp_path / "a", schema=SCHEMA, durability=request.param)
        return
    with MemoryFolder() as folder:
        yield partial(Database.open, folder / "a", schema=SCHEMA)


async def _fill(database):
    await database.read(lambda tx: tx.one("PRAGMA max_page_count = 1"))


async def _make_room(database):
    await database.read(lambda tx: tx.one("PRAGMA max_page_count = 100000"))


def _add(n, what=LONG):
    return lambda tx: tx.run("INSERT INTO t VALUES (?, ?)", n, what)


async def _all(database):
    rows = await database.read(lambda tx: tx.all("SELECT n FROM t ORDER BY rowid"))
    return [row["n"] for row in rows]


async def test_who_is_patient_is_committed_in_order_once_there_is_room(opening, caplog):
    caplog.set_level(logging.INFO)
    async with opening() as database:
        await database.write(_add(0))
        await _fill(database)
        waiting = [database.submit(_add(n), patient=True) for n in (1, 2)]
        await asyncio.sleep(0.2)
        waiting.append(database.submit(_add(3, "short"), patient=True))
        with pytest.raises(sqlite3.OperationalError, match="full") as raised:
            await database.write(_add(4, "short"))
        assert is_full(raised.value)
        assert not any(done.done() for done in waiting)
        assert await _all(database) == [0]
        await _make_room(database)
        await asyncio.gather(*waiting)
        assert await _all(database) == [0, 1, 2, 3]
    full, over = (record.getMessage() for record in caplog.records)
    assert "database or disk is full: make room" in full
    assert "there is room again" in over


async def test_who_is_not_patient_fails_and_the_next_one_is_tried(opening):
    async with opening() as database:
        await _fill(database)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            await database.write(_add(1))
        await _make_room(database)
        await database.write(_add(2))
        assert await _all(database) == [2]


async def test_a_database_closes_although_its_disk_is_full(opening):
    async with opening() as database:
        await _fill(database)
        waiting = database.submit(_add(1), patient=True)
        await asyncio.sleep(0.5)
        began_s = time.monotonic()
    assert waiting.cancelled()
    assert time.monotonic() - began_s < 0.2


def test_the_thread_of_a_database_that_cannot_be_opened_does_not_outlive_its_loop(
    tmp_path, monkeypatch
):
    (tmp_path / "a").write_bytes(b"no database" * 1000)
    failures = []
    monkeypatch.setattr(threading, "excepthook", failures.append)

    async def opened():
        with pytest.raises(sqlite3.DatabaseError):
            async with Database.open(tmp_path / "a", schema=SCHEMA):
                pass

    for _ in range(100):
        asyncio.run(opened())
    assert failures == []
