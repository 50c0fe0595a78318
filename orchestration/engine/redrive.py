"""What of a recorded history still holds when an execution goes on: all of it, but for redriven states.

A redrive runs every state that was entered and not left again. Retries start from zero; branches of a Parallel
and iterations of a Map that had succeeded keep their results. Source: AWS Step Functions Developer Guide,
"Restarting state machine executions with redrive".
"""

from collections import deque
from collections.abc import Iterable

from orchestration.engine.history import Event

REDRIVEN = "ExecutionRedriven"
_STARTS = ("ParallelStateStarted", "MapStateStarted")
_DONE = ("MapIterationSucceeded",)


def standing(events: Iterable[Event]) -> dict[str, deque[Event]]:
    """Branch -> its events that hold. A redriven branch has the ExecutionRedriven after what it keeps."""
    branches: dict[str, deque[Event]] = {}
    for event in events:
        if event.type == REDRIVEN:
            branches = {key: _redriven(kept, event, key) for key, kept in branches.items()}
        else:
            branches.setdefault(event.branch, deque()).append(event)
    return branches


def _redriven(events: deque[Event], redrive: Event, key: str) -> deque[Event]:
    """A branch without what failed in it."""
    if key and _succeeded(events):
        return events
    kept = list(events)
    entered = max((n for n, e in enumerate(kept) if e.type.endswith("StateEntered")), default=-1)
    exited = max((n for n, e in enumerate(kept) if e.type.endswith("StateExited")), default=-1)
    if exited > entered:
        last = exited
    elif entered < 0:
        last = 0
    else:
        last = entered
        starts = [n for n in range(entered + 1, len(kept)) if kept[n].type in _STARTS]
        joined = any(
            e.type in ("ParallelStateSucceeded", "MapStateSucceeded") for e in kept[entered:]
        )
        if starts and not joined:  # joined: its results did not fit, so all of it runs again
            kept[entered + 1] = kept[starts[-1]]
            last = entered + 1
    return deque([*kept[: last + 1], redrive])


def _succeeded(events: deque[Event]) -> bool:
    """Whether a branch or an iteration has come to its own end."""
    return events[-1].type in _DONE or events[-1].type.endswith("StateExited")
