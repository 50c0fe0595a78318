"""Rows that no participant could have written: they are named, and the rest is judged without them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from kernel.ledger import Effect
from kernel.orders import PENDING, TERMINAL
from kernel.ports import Ledgers
from kernel.saga import Saga
from scenarios.judge.causes import Row, names_causes
from scenarios.judge.verdict import Witness

Impossible = tuple[str, list[Witness]]
"""What cannot be, and the rows that show it."""
_LEDGER: dict[str, type[Any] | tuple[type[Any], ...]] = {
    "seq": int, "order_id": str, "operation": str, "effect": str, "delta": int, "answer": str,
    "message_id": str, "caused_by": str, "mono_s": (int, float),
}  # fmt: skip
_NOT_KEPT: dict[str, dict[str, type[Any] | tuple[type[Any], ...]]] = {
    "inbox": {"message_id": str, "answer": str},
    "parked": {"message_id": str, "caused_by": str, "shown": int},
}
CLOCKS_DIFFER_S = 0.5
"""Two clocks of one host are read one after the other: a busy machine may be away for a moment in between."""


def possible(
    saga: Saga, ledgers: Mapping[str, Any], *, set_back: bool = False
) -> tuple[Ledgers, list[Impossible]]:
    """The rows that can be read, and what is wrong with the others. `set_back`: whether times of day were, which then say nothing."""
    found: list[Impossible] = []
    kept: dict[str, dict[str, list[Row]]] = {}
    for name in saga.services:
        tables = ledgers.get(name)
        if not isinstance(tables, Mapping):
            found.append((f"{name} has no rows at all", []))
            tables = {}
        kept[name] = {}
        for table in ("ledger", *_NOT_KEPT, *saga.participants[name].TABLES):
            if table in _NOT_KEPT and table not in tables:
                continue  # it is not kept with a run
            rows = tables.get(table)
            if not isinstance(rows, list):
                found.append((f"{name} has no table {table}", []))
                rows = []
            columns = _LEDGER if table == "ledger" else _columns(saga, name, table)
            good = []
            for row in rows:
                if why := _unreadable(row, columns):
                    found.append((f"{name}, {table}: {why}", [_seen(name, table, row)]))
                else:
                    good.append(row)
            kept[name][table] = good
        found += _of_ledger(saga, name, kept[name])
        if not set_back:
            found += _wall_clock(name, kept[name]["ledger"])
        found += _twice(saga, name, kept[name])
    return kept, found


def _columns(saga: Saga, name: str, table: str) -> dict[str, type[Any] | tuple[type[Any], ...]]:
    """The columns of a business table that are judged, with their types."""
    columns: dict[str, type[Any] | tuple[type[Any], ...]] = {}
    if table in _NOT_KEPT:
        return _NOT_KEPT[table]
    if name == saga.opener and table == "orders":
        columns |= {"order_id": str, "status": str}
    for resource in saga.resources:
        if resource.participant != name:
            continue
        if resource.table == table:
            columns |= {"order_id": str} | dict.fromkeys(resource.rows, int)
        if (pool := resource.pool) is not None and table == pool.holds:
            columns |= {"order_id": str, pool.item: str} | dict.fromkeys(pool.held, int)
        elif pool is not None and table == pool.table:
            columns |= {pool.item: str, "initial": int, "free": int}
    return columns


def _unreadable(row: Any, columns: Mapping[str, Any]) -> str:
    if not isinstance(row, dict):
        return f"{row!r:.60} is no row"
    for column, kind in columns.items():
        value = row.get(column)
        if isinstance(value, bool) or not isinstance(value, kind):
            return f"{column} is {value!r:.60}"
    return ""


def _seen(name: str, table: str, row: Any) -> Witness:
    shown = row if isinstance(row, dict) else {"row": repr(row)[:200]}
    return {"participant": name, "table": table, **{str(k): v for k, v in shown.items()}}


def _of_ledger(saga: Saga, name: str, tables: dict[str, list[Row]]) -> Iterable[Impossible]:
    """What a ledger cannot say. Operations that the participant does not serve and effects that nobody knows are left out of it."""
    known = {operation for operation, service in saga.served_by.items() if service == name}
    good = []
    for row in tables["ledger"]:
        if "wall_s" in row and not _number(row["wall_s"]):
            yield (
                f"the ledger of {name} has the time of day {row['wall_s']!r:.40}",
                [_seen(name, "ledger", row)],
            )
            continue
        if row["operation"] not in known or row["effect"] not in set(Effect):
            why = f"{name} has no {row['operation']!r:.40} {row['effect']!r:.40}"
        elif row["answer"] not in _answers(saga, row["operation"], row["effect"]):
            why = f"{row['operation']} {row['effect']} cannot answer {row['answer']!r:.40}"
            good.append(row)
        elif row["message_id"] != f"{row['order_id']}:{row['operation']}":
            why = f"{row['operation']} of {row['order_id']} has the message_id {row['message_id']!r:.60}"
            good.append(row)
        elif not names_causes(row["caused_by"], row["order_id"]):
            why = f"{row['operation']} of {row['order_id']} was caused by {row['caused_by']!r:.80}"
            good.append(row)
        else:
            good.append(row)
            continue
        yield why, [_seen(name, "ledger", row)]
    tables["ledger"] = good
    numbers = [row["seq"] for row in good]
    if numbers != list(range(1, len(numbers) + 1)):
        at = next((n for n, seq in enumerate(numbers, 1) if seq != n), 1)
        yield (
            f"row {at} of the ledger of {name} has the number {numbers[at - 1]}",
            [_seen(name, "ledger", good[at - 1])],
        )
    for one, next_one in pairwise(good):
        if next_one["mono_s"] < one["mono_s"]:
            why = f"row {next_one['seq']} of the ledger of {name} is older than the row before it"
            yield why, [_seen(name, "ledger", one), _seen(name, "ledger", next_one)]


def _wall_clock(name: str, rows: list[Row]) -> Iterable[Impossible]:
    """A wall clock may be put right, and stays so: a row that alone has another time was not written at it."""
    offsets = [float(row["wall_s"]) - row["mono_s"] for row in rows if _number(row.get("wall_s"))]
    if len(offsets) != len(rows):
        return
    for number in range(1, len(rows) - 1):
        around = (offsets[number - 1], offsets[number + 1])
        if all(abs(offsets[number] - other) > CLOCKS_DIFFER_S for other in around):
            why = f"row {rows[number]['seq']} of the ledger of {name} has a time of day that its neighbours contradict"
            yield why, [_seen(name, "ledger", rows[number])]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _answers(saga: Saga, operation: str, effect: str) -> set[str]:
    """What an operation may answer when it had this effect."""
    undone = saga.undoes.get(operation)
    step = next(s for s in saga.steps if s.name == (undone or operation))
    ends = set(saga.ends)
    kinds = {
        Effect.DONE: () if undone else (step.done,),
        Effect.REFUSED: () if undone else (step.refused,),
        Effect.GAVE_UP: () if undone else (step.gave_up,),
        Effect.UNDONE: (step.undone,) if undone else (),
        Effect.TOMBSTONE: (step.undone,) if undone else (),
        Effect.KEPT: (step.kept,) if undone else (),
    }[Effect(effect)]
    names = {kind.__name__ for kind in kinds if kind is not None}
    # What comes when the order has ended is answered with how it ended.
    return names | ends if effect in (Effect.REFUSED, Effect.KEPT) else names


def _twice(saga: Saga, name: str, tables: dict[str, list[Row]]) -> Iterable[Impossible]:
    """Rows of one table for one thing: the first one is kept."""
    for table in tables.keys() - {"ledger"}:
        columns = _columns(saga, name, table)
        key = next(iter(columns), "")
        if not key:
            continue
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in tables[table]:
            rows[row[key]].append(row)
        for value, alike in rows.items():
            if len(alike) > 1:
                yield (
                    f"{name}, {table}: {len(alike)} rows for {value}",
                    [_seen(name, table, row) for row in alike],
                )
        tables[table] = [alike[0] for alike in rows.values()]
        if table == "orders" and name == saga.opener:
            for row in tables[table]:
                if row.get("expired", 0) not in (0, 1):
                    why = f"order {row['order_id']} has expired {row['expired']!r:.40} times"
                    yield why, [_seen(name, table, row)]
                if row["status"] not in {PENDING, *TERMINAL}:
                    why = f"order {row['order_id']} has the status {row['status']!r:.40}"
                    yield why, [_seen(name, table, row)]
