"""Where the time of one saga goes: bodies, queue wait, coordination, backoff. Read from its spans; in the orchestration from its
history too, since only the engine knows when it sent a task.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from kernel.timeline import Evidence
from scenarios.evidence.traced import ROOT, began_s, ended_s, hop_of, in_trace, is_hop

BODY, QUEUE, COORDINATION, BACKOFF = "body", "queue wait", "coordination", "backoff"
PARTS = (BODY, QUEUE, COORDINATION, BACKOFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of a saga's time, in seconds since the epoch. `operation`: what it leads to or belongs to."""

    part: str
    operation: str
    began_s: float
    ended_s: float

    @property
    def lasted_s(self) -> float:
        """Seconds."""
        return self.ended_s - self.began_s


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One delivery or invocation. `sent_s`: when the message or the task was sent, if that is known."""

    operation: str
    began_s: float
    ended_s: float
    sent_s: float | None
    bodies: tuple[tuple[float, float], ...]
    answered: bool


def critical_path(evidence: Evidence) -> list[Segment]:
    """From the customer's call to the last answer, without gap or overlap; nothing if the saga was not traced.

    Of two attempts at once the earlier counts. A wait after a failed attempt at the same operation is backoff; what is left of
    the time between a message being sent and its delivery is queue wait; all other time outside of bodies is coordination.
    """
    spans = in_trace(evidence.get("trace", []))
    roots = [span for span in spans if span["name"] == ROOT]
    if not roots:
        return []
    found: list[Segment] = []
    cursor = min(began_s(span) for span in roots)
    failed: set[str] = set()
    for attempt in sorted(_attempts(spans, evidence), key=lambda a: a.began_s):
        if attempt.ended_s <= cursor:
            continue
        for part, until_s in _parts(attempt, failed):
            if until_s > cursor:
                found.append(
                    Segment(part=part, operation=attempt.operation, began_s=cursor, ended_s=until_s)
                )
                cursor = until_s
        (failed.discard if attempt.answered else failed.add)(attempt.operation)
    return found


def _parts(attempt: _Attempt, failed: Collection[str]) -> Iterator[tuple[str, float]]:
    """What the time is up to which moment, in order of time."""
    waiting = BACKOFF if attempt.operation in failed else COORDINATION
    if attempt.sent_s is not None:
        yield waiting, attempt.sent_s
        yield (BACKOFF if waiting == BACKOFF and not attempt.bodies else QUEUE), attempt.began_s
    else:
        yield waiting, attempt.began_s
    for began, ended in attempt.bodies:
        yield COORDINATION, began
        yield BODY, ended
    if attempt.answered:
        return  # what comes after the answer belongs to the next step
    yield COORDINATION, attempt.ended_s


def _attempts(spans: list[dict[str, Any]], evidence: Evidence) -> Iterator[_Attempt]:
    by_id = {span["context"]["span_id"]: span for span in spans}
    bodies: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        if span["attributes"].get("operation") and not is_hop(span):
            bodies.setdefault(hop_of(span, by_id), []).append(span)
    scheduled = scheduled_s(evidence)
    for span in filter(is_hop, spans):
        inside = sorted(bodies.get(span["context"]["span_id"], []), key=began_s)
        kind, _, name = span["name"].partition(" ")
        operation = span["attributes"].get("operation") or name
        parent = by_id.get(span["parent_id"])
        if kind == "task":
            before = [at for at in scheduled.get(operation, []) if at <= began_s(span)]
            sent_s = before[-1] if before else None
        else:
            again = int(span["attributes"].get("attempt", "1")) > 1
            sent_s = began_s(parent) if parent is not None and not again else None
        yield _Attempt(
            operation=operation,
            began_s=began_s(span),
            ended_s=ended_s(span),
            sent_s=sent_s,
            bodies=tuple((began_s(body), ended_s(body)) for body in inside),
            # A caller whose answer was lost waits and tries again, whatever was done.
            answered=span["status"]["status_code"] != "ERROR"
            and any(body["attributes"].get("answer") for body in inside),
        )


def scheduled_s(evidence: Evidence) -> dict[str, list[float]]:
    """Operation -> when the engine sent its tasks, in seconds since the epoch; nothing where there is no engine."""
    found: dict[str, list[float]] = {}
    operation = ""
    for history in evidence.get("histories", []):
        for event in history["events"]:
            if event["type"] == "TaskStateEntered":
                operation = event["stateEnteredEventDetails"]["name"]
            elif event["type"] == "LambdaFunctionScheduled":
                found.setdefault(operation, []).append(event["timestamp"])
    return found
