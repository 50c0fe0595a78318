"""Customers who differ: in what they want, in how their orders are called, and in how often they ask.

Each kind of variety draws for itself, by seed and index, so that leaving one out changes nothing else.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from kernel.errors import UsageError, nearest
from kernel.guards import Guards
from kernel.saga import Saga

IDS, TWICE, CHANGED = "ids", "twice", "changed"
"""Names of every length, some of them beginnings of others; one order sent twice at once; the same order_id with another content."""
REPEATED = frozenset({TWICE, CHANGED})
_GENERAL = (IDS, TWICE, CHANGED)
_SHARE = {TWICE: 0.15, CHANGED: 0.1}
_NUMBERS = (1, 10, 1_000, 10_000_000)


def kinds_of(saga: Saga) -> tuple[str, ...]:
    """Every kind of variety that a saga's customers may have."""
    return (*_GENERAL, *saga.workload.vary)


def usual(saga: Saga, guards: Guards) -> tuple[str, ...]:
    """Every kind but the names: people who read a run look for order-00003. Without a guard only a fault may repeat a message."""
    left_out = {IDS} if guards == Guards.all() else {IDS, *REPEATED}
    return tuple(kind for kind in kinds_of(saga) if kind not in left_out)


def parse(text: str, saga: Saga, guards: Guards) -> tuple[str, ...]:
    """`usual`, `all`, `none`, or names separated by commas. Raise UsageError for anything else."""
    known = kinds_of(saga)
    named_sets = {"usual": usual(saga, guards), "all": known, "none": ()}
    if text in named_sets:
        return named_sets[text]
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in known:
            raise UsageError(
                f"unknown variety {name!r}{nearest(name, known)}: use usual, all, none, or some of {', '.join(known)}"
            )
    return names


def varied(
    saga: Saga, order: Any, index: int, *, seed: int, kinds: Collection[str], own_stock: bool
) -> Any:
    """The order of this index with variety. `own_stock`: the scenario has counted what it has."""
    for kind, variation in saga.workload.vary.items():
        if kind in kinds and not (own_stock and variation.of_stock):
            order = variation.change(order, _chance(seed, kind, index))
    return order


def named(orders: Sequence[Any], *, seed: int) -> list[Any]:
    """The orders under names of different length, some of which are beginnings of others."""
    found: dict[str, Any] = {}
    for index, order in enumerate(orders):
        chance = _chance(seed, IDS, index)
        stem = str(order.order_id).rpartition("-")[0] or "order"
        name = ""
        while not name or name in found:
            if found and chance.random() < 0.4:
                name = f"{chance.choice(list(found))}{chance.randrange(10)}"[:80]
            else:
                name = f"{stem}-{chance.randrange(chance.choice(_NUMBERS))}"
        found[name] = replace(order, order_id=name)
    return list(found.values())


def repeated(saga: Saga, order: Any, index: int, *, seed: int, kinds: Collection[str]) -> list[Any]:
    """What a customer sends again under the same order_id, while the first request is on its way."""
    again: list[Any] = []
    if TWICE in kinds and _chance(seed, TWICE, index).random() < _SHARE[TWICE]:
        again.append(order)
    if CHANGED in kinds and saga.workload.vary and _chance(seed, CHANGED, index).random() < _SHARE[CHANGED]:  # fmt: skip
        again.append(_changed(saga, order, _chance(seed, "content", index)))
    return again


def _changed(saga: Saga, order: Any, chance: Random) -> Any:
    """The order with something else in it that takes no other stock, and is refused where the order is."""
    for variation in saga.workload.vary.values():
        other = order if variation.of_stock else variation.change(order, chance)
        alike = all(accepts(other) == accepts(order) for accepts in saga.accepts.values())
        if other != order and alike:
            return other
    return order


def _chance(seed: int, kind: str, index: int) -> Random:
    return Random(f"{seed}:{kind}:{index}")


def as_option(saga: Saga, kinds: tuple[str, ...], guards: Guards) -> str:
    """What `parse` reads as these kinds."""
    for name in ("usual", "all", "none"):
        if parse(name, saga, guards) == kinds:
            return name
    return ",".join(kinds)
