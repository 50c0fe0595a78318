"""What participants keep balances of: rooms, stock, money."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MONEY = "cents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A resource of which there is a limited number: the table of units, and the table of who holds them.

    `table` has the columns `item`, initial and free; `held`: column of `holds` -> the sign with which it counts.
    """

    table: str
    item: str
    holds: str
    held: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a participant keeps a balance of, and what an ended saga must leave there.

    `due(order)`: the net change of a confirmed order, in `unit`; every other ended order leaves 0. What is counted in MONEY must
    be conserved over a whole run. `rows`: the business table
    whose columns, with these signs, add up to an order's net change. `exposure`: the name under which it is timed how long
    the resource is at risk, "" = it is not. `shown(net)`: the balance in words.
    """

    participant: str
    name: str
    unit: str
    due: Callable[[Any], int]
    table: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    pool: Pool | None = None
    exposure: str = ""
    shown: Callable[[int], str] = str
