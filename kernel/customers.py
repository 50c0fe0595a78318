"""What customers ask a saga for, and how it is put into words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any

from kernel.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One way in which orders differ from the plain ones. `of_stock`: it takes more, or other things, than a scenario with a stock of its
    own has counted on.
    """

    change: Callable[[Any, Random], Any]
    of_stock: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What customers ask for. `vary`: by name, how orders may differ; `items`: what there is beside `item` then.

    `order(index, n, chance, item)`: the order of that index of n. `refusable(order, operation)`: the order, changed so that
    this step of it is refused: by what is asked for, never by a switch in a participant. `stock`: participant -> what writes
    the initial units of a run, item -> units.
    """

    order: Callable[..., Any]
    refusable: Callable[[Any, str], Any]
    item: str
    stock: Mapping[str, Callable[[Transaction, Mapping[str, int]], None]] = field(
        default_factory=dict
    )
    vary: Mapping[str, Variation] = field(default_factory=dict)
    items: tuple[str, ...] = ()


def plainly(order: Any) -> str:
    """An order in words, where a saga has none of its own: its fields, without its name."""
    parts = ((f.name, getattr(order, f.name)) for f in fields(order) if f.name != "order_id")
    return ", ".join(f"{name} {value}" for name, value in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A saga in sentences, for replays and reports.

    `wanted(order)`: what the customer asks for. `effects`: (operation, effect) -> a sentence; {units} and {money} stand for
    the change. Without a sentence the effect is named plainly.
    """

    wanted: Callable[[Any], str] = plainly
    effects: Mapping[tuple[str, str], str] = field(default_factory=dict)
