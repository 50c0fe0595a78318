"""The engine's SQLite file: opened only if it is one, and rows that are kept unless their ARN is taken."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from kernel.alone import alone
from kernel.database import Database, Transaction
from kernel.memory_files import Folder
from orchestration.engine.errors import HistoryDamaged
from orchestration.engine.in_hand import InHand, open_in_hand

HISTORY = "history.sqlite"
APPLICATION_ID, FORMAT = 0x53414741, 3
_MARKS = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
"""


@asynccontextmanager
async def open_store(
    folder: Folder, *, schema: str, durability: str
) -> AsyncIterator[tuple[Database, InHand | None]]:
    """The engine's file in `folder`, and what is in hand, which is lost with a folder in memory. Raise HistoryDamaged if it is torn or another program's, UsageError if another engine has it."""
    path, hand = folder / HISTORY, None
    with ExitStack() as stack:
        if isinstance(path, Path):
            busy = (
                f"another engine works on {folder}: give each its own folder, or end the other one"
            )
            stack.enter_context(alone(path.with_name(".engine.lock"), busy=busy))
            _check(path)
            hand = stack.enter_context(open_in_hand(path.with_name(".in-hand")))
        async with Database.open(path, schema=_MARKS + schema, durability=durability) as database:
            yield database, hand


async def forget_execution(folder: Folder, name: str) -> None:
    """Lose an execution and its history, as no engine that keeps its promises does. The engine must be down."""

    def forget(tx: Transaction) -> None:
        mine = "SELECT id FROM executions WHERE name = ?"
        tx.run(f"DELETE FROM events WHERE execution IN ({mine})", name)
        tx.run("DELETE FROM executions WHERE name = ?", name)

    async with Database.open(folder / HISTORY, schema="") as database:
        await database.write(forget)


def _check(path: Path) -> None:
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            marks = [
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version")
            ]
            intact = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise HistoryDamaged(f"{path}: {error}") from error
    if marks != [APPLICATION_ID, FORMAT] or intact != "ok":
        raise HistoryDamaged(f"{path} is not a history of this engine (format {FORMAT})")


def found(tx: Transaction, table: str, arn: str) -> dict[str, Any] | None:
    """The row of this ARN, or None."""
    return tx.one(f"SELECT * FROM {table} WHERE arn = ?", arn)


def put(tx: Transaction, table: str, row: dict[str, Any], *, taken: str) -> int:
    """Insert a row, or if its key is taken "REPLACE" the one there, or "IGNORE" this one; how many changed."""
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    sql = f"INSERT OR {taken} INTO {table} ({columns}) VALUES ({marks})"
    return tx.run(sql, *row.values())


def keep(tx: Transaction, table: str, row: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Insert a row unless its ARN is taken: the row that is kept, and whether it is new."""
    new = put(tx, table, row, taken="IGNORE") == 1
    kept = found(tx, table, row["arn"])
    assert kept is not None
    return kept, new
