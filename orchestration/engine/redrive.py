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
_JOINED = ("ParallelStateSucceeded", "MapStateSucceeded")
_DONE = ("MapIterationSucceeded",)


def standing(events: Iterable[Event]) -> dict[str, deque[Event]]:
    """Branch -> its events that hold. A redriven branch has the ExecutionRedriven after what it keeps."""
    branches: dict[str, deque[Event]] = {}
    for event in events:
        if event.type == REDRIVEN:
            _redrive(branches, "", event)
        else:
            branches.setdefault(event.branch, deque()).append(event)
    return branches


def _redrive(branches: dict[str, deque[Event]], key: str, redrive: Event) -> None:
    """Take out what failed in a branch, and in the branches of the Parallel or Map that it is in.

    Branches of a Parallel or Map that is over, whatever became of it, are left as they were recorded.
    """
    kept = _kept(list(branches[key]))
    branches[key] = deque([*kept, redrive])
    if kept[-1].type in _STARTS:
        inside = [inner for inner in branches if inner.startswith(f"{kept[-1].id}.")]
        for inner in inside:
            if not _succeeded(branches[inner]):
                _redrive(branches, inner, redrive)


def _kept(events: list[Event]) -> list[Event]:
    entered = max((n for n, e in enumerate(events) if e.type.endswith("StateEntered")), default=-1)
    exited = max((n for n, e in enumerate(events) if e.type.endswith("StateExited")), default=-1)
    if exited > entered:
        return events[: exited + 1]
    if entered < 0:
        return events[:1]
    starts = [event for event in events[entered:] if event.type in _STARTS]
    joined = any(event.type in _JOINED for event in events[entered:])
    # Joined and not left: its results did not fit, so all of it runs again.
    return [*events[: entered + 1], *([] if joined else starts[-1:])]


def _succeeded(events: deque[Event]) -> bool:
    """Whether a branch or an iteration has come to its own end."""
    return events[-1].type in _DONE or events[-1].type.endswith("StateExited")
