"""One fixed simple analyser that looks for what went wrong in a saga, whatever evidence its calls come from.

A call that failed, was refused, was repeated or never answered weighs most; a call or a wait far longer than that of the run's
other sagas weighs less. Everything else is no suspect.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from kernel.timeline import Timeline

FAILED, REPEATED, SLOW = 10.0, 5.0, 3.0
"""Weights; SLOW is also how many times the usual a wait must last to be suspicious."""
MOST_SLOW = 4.0
_LEAST_S = 0.005
"""Shorter waits are noise on this machine."""

Waits = Mapping[str, float]
"""Operation -> the usual time from the call before it to its own end, in seconds."""


def usual_waits(timelines: Iterable[Timeline]) -> dict[str, float]:
    """The medians over all sagas of a run."""
    found: dict[str, list[float]] = {}
    for timeline in timelines:
        for operation, waited_s in _waits(timeline):
            found.setdefault(operation, []).append(waited_s)
    return {operation: median(waits) for operation, waits in found.items()}


def suspects(timeline: Timeline, usual: Waits) -> list[str]:
    """The suspicious operations, the worst first; of equals the earliest."""
    weight: defaultdict[str, float] = defaultdict(float)
    order: dict[str, int] = {}
    answers: Counter[str] = Counter()
    for call in timeline.calls:
        order.setdefault(call.operation, len(order))
        if not call.answer or call.answer in timeline.saga.refused:
            weight[call.operation] += FAILED
        answers[call.operation] += bool(call.answer)
    for operation, n in answers.items():
        weight[operation] += REPEATED * max(0, n - 1)
    for operation, waited_s in _waits(timeline):
        least_s = max(usual.get(operation, 0.0), _LEAST_S)
        if waited_s > SLOW * least_s:
            weight[operation] += min(MOST_SLOW, waited_s / least_s / SLOW)
    if timeline.parked_at:
        order.setdefault(timeline.parked_at, len(order))
        weight[timeline.parked_at] += FAILED
    return sorted((o for o in weight if weight[o] > 0), key=lambda o: (-weight[o], order[o]))


def _waits(timeline: Timeline) -> Iterable[tuple[str, float]]:
    """The first call of each operation: what repeats waits for other reasons."""
    before, seen = None, set()
    for call in sorted(timeline.calls, key=lambda call: call.at_s):
        if before is not None and call.operation not in seen:
            yield call.operation, call.at_s - before
        seen.add(call.operation)
        before = call.at_s
