"""What evidence shows of a saga that its status does not say: two acts, repeated answers, answers that were lost."""

from collections import Counter
from collections.abc import Mapping

from kernel.timeline import Timeline


def acted_twice(timeline: Timeline) -> dict[str, int]:
    """Operation -> how often it was done, of those that were done more than once by what this evidence shows."""
    return {operation: n for operation, n in timeline.acts().items() if n > 1}


def all_remarks(timelines: Mapping[str, Timeline]) -> list[str]:
    """What any kind of evidence shows, each remark once, with the kinds that show it."""
    shown: dict[str, list[str]] = {}
    for kind, timeline in timelines.items():
        for remark in remarks(timeline):
            shown.setdefault(remark, []).append(kind)
    return [f"{remark} ({', '.join(kinds)} evidence)" for remark, kinds in shown.items()]


def remarks(timeline: Timeline) -> list[str]:
    """One line each, for somebody who reads that the saga is over and believes that all is well."""
    service = {call.operation: call.service for call in timeline.calls}
    again = Counter(call.operation for call in timeline.calls if call.repeated)
    unanswered = Counter(call.operation for call in timeline.calls if not call.answer)
    answered = {call.operation for call in timeline.calls if call.answer}
    found = [
        f"{service[operation]} did {operation} {n} times: each of them had its effect"
        for operation, n in acted_twice(timeline).items()
    ]
    found += [
        f"{service[operation]} got {operation} again and repeated its first answer, {_times(n)}: it acted once"
        for operation, n in again.items()
    ]
    found += [
        f"{operation} was tried {_times(n)} without an answer"
        + (", and answered in the end" if operation in answered else "")
        + ": such a try may have had its effect"
        for operation, n in unanswered.items()
    ]
    found += [
        f"the answer of {call.service} to {call.operation} was lost: {call.failure}"
        for call in timeline.calls
        if call.answer and call.failure
    ]
    return found


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n} times")
