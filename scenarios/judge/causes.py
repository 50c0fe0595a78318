"""What came before what, by causes: a clock decides nothing between two participants.

A row came after the rows whose answers caused it, and after the rows that its participant had written before. Nothing else is known.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

Row = dict[str, Any]


def causes_of(row: Row) -> list[str]:
    """The names of the events that led to a row; "customer" for a customer's own request."""
    return [cause.rpartition(":")[2] for cause in str(row["caused_by"]).split()]


def names_causes(caused_by: str, order_id: str) -> bool:
    """Whether it names at least one message, and none of another order."""
    names = caused_by.split()
    return bool(names) and all(name.rpartition(":")[0] == order_id for name in names)


class History:
    """The rows of one order, oldest first as far as their causes tell, and what came before each of them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """`rows`: with their participant added."""
        self._by_answer: dict[str, list[Row]] = defaultdict(list)
        mine: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            self._by_answer[str(row["answer"])].append(row)
            mine[str(row["participant"])].append(row)
        self._previous: dict[int, list[Row]] = {}
        for written in mine.values():
            written.sort(key=lambda row: int(row["seq"]))
            for number, row in enumerate(written):
                self._previous[id(row)] = written[max(0, number - 1) : number]
        self._before: dict[int, list[Row]] = {}
        self.rows = self._in_order([row for written in mine.values() for row in written])

    def parents(self, row: Row) -> list[Row]:
        """The rows of which it is known at once that they came first."""
        caused = (other for cause in causes_of(row) for other in self._by_answer.get(cause, ()))
        return [other for other in (*caused, *self._previous[id(row)]) if other is not row]

    def before(self, row: Row) -> list[Row]:
        """Every row of the order that came before this one."""
        if id(row) not in self._before:
            found: dict[int, Row] = {}
            waiting = self.parents(row)
            while waiting:
                one = waiting.pop()
                if id(one) not in found and one is not row:
                    found[id(one)] = one
                    waiting += self.parents(one)
            self._before[id(row)] = list(found.values())
        return self._before[id(row)]

    def first_of(self, rows: Sequence[Row]) -> list[Row]:
        """Those of these rows before which none of the others came."""
        chosen = {id(row) for row in rows}
        return [row for row in rows if not any(id(one) in chosen for one in self.before(row))]

    def _in_order(self, rows: list[Row]) -> list[Row]:
        """Sorted by what came before; where nothing is known, by the clocks, which only decide how it reads."""
        left = sorted(rows, key=lambda row: float(row["mono_s"]))
        if len(left) < 2:
            return left
        ordered: list[Row] = []
        placed: set[int] = set()
        while left:
            ready = (
                n for n, row in enumerate(left) if all(id(p) in placed for p in self.parents(row))
            )
            row = left.pop(next(ready, 0))
            placed.add(id(row))
            ordered.append(row)
        return ordered
