"""Who calls whom in a run: one edge per pair, with how often, how often in vain, and how long it takes. Read from spans."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from bench.critical_path import scheduled_s
from bench.latency import quantile
from kernel.saga import Saga
from kernel.timeline import Evidence
from scenarios.evidence.traced import ROOT, began_s, ended_s, failure_of, hop_of, is_hop

CONDUCTOR = "conductor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Calls from one service to another. Times in seconds, from the message's sending to the end of its handling.

    `errors`: those that brought no answer; a refusal is an answer.
    """

    caller: str
    callee: str
    calls: int
    errors: int
    average_s: float
    p95_s: float


def service_map(saga: Saga, sagas: Iterable[Evidence]) -> list[Edge]:
    """The edges of these sagas, the busiest first. A caller whose context was lost on the way is `?`."""
    found: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for evidence in sagas:
        spans = evidence.get("trace", [])
        by_id = {span["context"]["span_id"]: span for span in spans}
        answered = {hop_of(s, by_id) for s in spans if _answered(saga, s)}
        sent = scheduled_s(evidence)
        for span in filter(is_hop, spans):
            caller, sent_s = _sending(span, by_id.get(span["parent_id"]), sent)
            # An answer that was lost on its way back is none.
            lost = span["status"]["status_code"] == "ERROR"
            failed = lost or span["context"]["span_id"] not in answered
            edge = found.setdefault((caller, _service(span)), [])
            edge.append((ended_s(span) - min(sent_s, began_s(span)), failed))
        customers = [span for span in spans if span["name"] == ROOT]
        if "histories" in evidence and customers:
            edge = found.setdefault((_service(customers[0]), CONDUCTOR), [])
            edge += [(ended_s(s) - began_s(s), bool(failure_of(s))) for s in customers]
    edges = [
        Edge(
            caller=caller,
            callee=callee,
            calls=len(calls),
            errors=sum(failed for _, failed in calls),
            average_s=fmean(took for took, _ in calls),
            p95_s=quantile([took for took, _ in calls], 0.95) or 0.0,
        )
        for (caller, callee), calls in found.items()
    ]
    return sorted(edges, key=lambda edge: (-edge.calls, edge.caller, edge.callee))


def _sending(
    span: dict[str, Any], parent: dict[str, Any] | None, scheduled: dict[str, list[float]]
) -> tuple[str, float]:
    """Who sent a message or a task, and when; a message that comes again was sent when it came."""
    if str(span["name"]).startswith("task "):
        sent = [s for s in scheduled.get(span["attributes"]["operation"], []) if s <= began_s(span)]
        return CONDUCTOR, sent[-1] if sent else began_s(span)
    if parent is None:
        return "?", began_s(span)
    first = span["attributes"].get("attempt") == "1"
    return _service(parent), began_s(parent) if first else began_s(span)


def _answered(saga: Saga, span: dict[str, Any]) -> bool:
    """Whether a participant answered; that it was given up is no answer."""
    answer = span["attributes"].get("answer")
    return bool(answer) and answer not in saga.given_up


def _service(span: dict[str, Any]) -> str:
    return str(span["resource"]["attributes"]["service.name"])
