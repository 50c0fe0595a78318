"""What participants keep balances of: rooms, stock, money."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MONEY = "cents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A resource of which there is a limited number: the table of units, and the table of who holds them.

    `table` has the columns `item`, initial and free; `held`: column of `holds` -> the sign with which it counts. `of(order)`: the
    item of which an order wants some.
    """

    table: str
    item: str
    holds: str
    held: Mapping[str, int]
    of: Callable[[Any], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a participant keeps a balance of, and what an ended saga must leave there.

    `due(order)`: the net change of a confirmed order, in `unit`; every other ended order leaves 0. What is counted in MONEY must
    be conserved over a whole run. `rows`: the columns of the business table: those with 1 add up what was done for an order, those
    with -1 what was undone. `counts`: column -> the operations of which it counts the effects, in the table of either.
    `exposure`: the name under which it is timed how long
    the resource is at risk, "" = it is not. `shown(net)`: the balance in words.
    """

    participant: str
    name: str
    unit: str
    due: Callable[[Any], int]
    table: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    pool: Pool | None = None
    counts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exposure: str = ""
    shown: Callable[[int], str] = str

    @property
    def kept(self) -> tuple[str, Mapping[str, int]]:
        """(the business table with a row for each order, its columns with their signs); ("", {}) = there is none."""
        return (self.pool.holds, self.pool.held) if self.pool else (self.table, self.rows)
