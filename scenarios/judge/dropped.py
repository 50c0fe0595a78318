"""Which sagas were dropped and left to their deadline, and which only waited in a queue."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from scenarios.judge.oracle import OrderFacts, witness
from scenarios.judge.verdict import Witness


def dropped(
    facts: list[OrderFacts],
    judged: set[str],
    longest_silence_s: float,
    arrivals_mono_s: Mapping[str, Sequence[float]],
    *,
    queued_s: float | None,
) -> list[tuple[str, list[Witness]]]:
    """The orders of `judged` that were dropped: why, and the rows that prove it.

    The saga deadline rescues what is slow, not what was dropped.

    A saga that gave no sign of life (a row, a request that arrived) for longer than a whole retry budget and
    went on only because it expired had been lost: an event without a reaction, or a message that vanished. Where messages
    queue it had been lost only if others overtook it.
    """
    broken = []
    served = _served(facts) if queued_s is not None else {}
    for order in facts:
        if order.asked.order_id not in judged:
            continue
        for before, rescue in pairwise(order.rows):
            if not _is_rescue(order, rescue):
                continue
            signs = [
                before["mono_s"],
                *arrivals_mono_s.get(order.asked.order_id, ()),
                rescue["mono_s"],
            ]
            within = sorted(s for s in signs if before["mono_s"] <= s <= rescue["mono_s"])
            silent = max(late - early for early, late in pairwise(within)) > longest_silence_s
            if silent and (queued_s is None or _overtaken(before, rescue, served, queued_s)):
                why = (
                    f"{order.asked.order_id}: nothing followed {before['operation']}"
                    f" ({before['effect']}) until the saga deadline"
                )
                broken.append((why, [witness(before), witness(rescue)]))
    return broken


def _is_rescue(order: OrderFacts, row: dict[str, Any]) -> bool:
    return bool(row["caused_by"] == f"{order.asked.order_id}:{order.saga.expired.__name__}")


def _served(facts: list[OrderFacts]) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """(operation, effect) -> when it was done, and when what followed was, of every saga that went on by itself."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for order in facts:
        for before, after in pairwise(order.rows):
            if not _is_rescue(order, after):
                what = before["operation"], before["effect"]
                found[what].append((before["mono_s"], after["mono_s"]))
    return found


def _overtaken(
    before: dict[str, Any],
    rescue: dict[str, Any],
    served: Mapping[tuple[str, str], list[tuple[float, float]]],
    queued_s: float,
) -> bool:
    """Whether what should have followed was done for an order that came to the same point later, in the meantime."""
    return any(
        came_s > before["mono_s"] + queued_s and went_on_s < rescue["mono_s"]
        for came_s, went_on_s in served.get((before["operation"], before["effect"]), ())
    )
