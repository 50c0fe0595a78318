"""How far the clocks of the participants' hosts may differ, as far as causes tell.

What was caused came later, whatever the clocks say: so each message from one host to another bounds how far the second clock can be
behind the first. The shortest way there and the shortest way back leave an interval, as in Cristian's algorithm (1989).
"""

import math
from collections.abc import Iterable
from itertools import product

from kernel.saga import Saga
from scenarios.judge.oracle import OrderFacts

Bounds = dict[str, tuple[float, float]]
"""Participant -> by how many seconds its clock is ahead of that of the service which opens sagas: at least, at most."""


def bounds(saga: Saga, facts: Iterable[OrderFacts]) -> Bounds:
    """The interval of every participant from which, and to which, anything led; infinite where nothing did."""
    most = dict.fromkeys(product(saga.services, repeat=2), math.inf)
    """(one, other) -> by how much the clock of the other can be ahead of that of the one, at most."""
    for name in saga.services:
        most[name, name] = 0.0
    for order in facts:
        for row in order.rows:
            for cause in order.history.parents(row):
                pair = str(cause["participant"]), str(row["participant"])
                most[pair] = min(most[pair], float(row["mono_s"]) - float(cause["mono_s"]))
    for way, one, other in product(saga.services, repeat=3):
        most[one, other] = min(most[one, other], most[one, way] + most[way, other])
    opener = saga.opener
    return {
        name: (-most[name, opener], most[opener, name]) for name in saga.services if name != opener
    }


def differing(found: Bounds) -> Bounds:
    """Those whose clocks cannot be right together with the opener's."""
    return {name: (low, high) for name, (low, high) in found.items() if low > 0 or high < 0}


def ahead_s(found: Bounds) -> dict[str, float]:
    """By how much each of those is ahead, best guess: the middle of what it can be."""
    return {
        name: (low + high) / 2 if math.isfinite(low + high) else (low if low > 0 else high)
        for name, (low, high) in differing(found).items()
    }


def in_words(found: Bounds) -> str:
    """One line about clocks that differ, "" = none is known to."""
    lines = []
    for name, ahead in ahead_s(found).items():
        low, high = found[name]
        sure = f"within {500 * (high - low):.1f} ms" if math.isfinite(high - low) else "at least"
        way = "ahead" if ahead > 0 else "behind"
        lines.append(f"{name} is {1000 * abs(ahead):.1f} ms {way}, {sure}")
    if not lines:
        return ""
    return f"clocks of hosts differ: {'; '.join(lines)}; exposures are corrected for it, and as uncertain"
