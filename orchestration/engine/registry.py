"""What executions are made of: state machines, activities and their tags; and the secret that seals task tokens."""

from collections.abc import Callable
from typing import Any

from kernel.database import Database, Transaction
from orchestration.engine import store
from orchestration.engine.limits import MAX_MACHINES

Entropy = Callable[[int], bytes]
"""That many bytes that nobody can guess; secrets.token_bytes, but for a simulation."""
REGISTRY_SCHEMA = """
CREATE TABLE IF NOT EXISTS machines (arn TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,
    definition TEXT NOT NULL, type TEXT NOT NULL, created_s REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tags (arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (arn, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activities (arn TEXT PRIMARY KEY, name TEXT NOT NULL, created_s REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secret (only INTEGER PRIMARY KEY CHECK (only = 1), bytes BLOB NOT NULL);
"""


class Registry:
    """Reads and writes, each one transaction. A `table` is "machines", "activities" or "tags"."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._machines: dict[str, dict[str, Any]] = {}

    async def secret(self, entropy: Entropy) -> bytes:
        """What seals task tokens: made with the file, never shown."""
        read = "SELECT bytes FROM secret"
        row = await self._database.read(lambda tx: tx.one(read))
        if row is None:
            new = entropy(32)
            await self._database.write(lambda tx: tx.run("INSERT INTO secret VALUES (1, ?)", new))
            return new
        return bytes(row["bytes"])

    async def make(
        self, table: str, row: dict[str, Any], tags: list[dict[str, str]]
    ) -> dict[str, Any]:
        """Keep a new machine or activity and its tags, unless its ARN is taken: the row that is kept."""

        def add(tx: Transaction) -> dict[str, Any]:
            kept, new = store.keep(tx, table, row)
            if new:
                for tag in tags:
                    store.put(tx, "tags", {"arn": row["arn"], **tag}, taken="REPLACE")
            return kept

        kept = await self._database.write(add)
        self._machines.pop(row["arn"], None)
        return kept

    async def put(self, table: str, row: dict[str, Any]) -> None:
        """Keep a machine or a tag in place of the one of the same key."""
        await self._database.write(lambda tx: store.put(tx, table, row, taken="REPLACE"))
        self._machines.pop(row["arn"], None)

    async def machine(self, arn: str) -> dict[str, Any] | None:
        """The machine of this ARN, or None. Kept in memory once read: every start looks at it."""
        # Reads and commits come back in the order in which they were carried out, so nothing stale is kept.
        if arn not in self._machines:
            row = await self._database.read(lambda tx: store.found(tx, "machines", arn))
            if row is None:
                return None
            if len(self._machines) >= MAX_MACHINES:
                self._machines.clear()
            self._machines[arn] = row
        return self._machines[arn]

    async def activity(self, arn: str) -> dict[str, Any] | None:
        """The activity of this ARN, or None."""
        return await self._database.read(lambda tx: store.found(tx, "activities", arn))

    async def activities(self) -> list[str]:
        """The ARN of every activity."""
        rows = await self._database.read(lambda tx: tx.all("SELECT arn FROM activities"))
        return [row["arn"] for row in rows]

    async def page(self, table: str, *, after: str, limit: int) -> list[dict[str, Any]]:
        """Machines or activities in order of ARN, past `after`."""
        sql = f"SELECT * FROM {table} WHERE arn > ? ORDER BY arn LIMIT ?"
        return await self._database.read(lambda tx: tx.all(sql, after, limit))

    async def tags(self, arn: str) -> list[dict[str, Any]]:
        """The tags of an ARN, as AWS tells them."""
        sql = "SELECT key, value FROM tags WHERE arn = ? ORDER BY key"
        return await self._database.read(lambda tx: tx.all(sql, arn))

    async def remove(self, table: str, arn: str, key: str | None = None) -> None:
        """Forget a machine, an activity, all tags of an ARN, or one of them."""
        where = "arn = ?" if key is None else "arn = ? AND key = ?"
        arguments = (arn,) if key is None else (arn, key)
        await self._database.write(
            lambda tx: tx.run(f"DELETE FROM {table} WHERE {where}", *arguments)
        )
        self._machines.pop(arn, None)
