"""Who calls whom in a run: one edge per pair, with how often, how often in vain, and how long it takes. Read from spans."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from bench.latency import quantile
from scenarios.traceability.traced import began_s, ended_s
from shared_domain.account import Evidence

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


def service_map(sagas: Iterable[Evidence]) -> list[Edge]:
    """The edges of these sagas, the busiest first. A caller whose context was lost on the way is `?`."""
    found: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for evidence in sagas:
        spans = evidence.get("trace", [])
        by_id = {span["context"]["span_id"]: span for span in spans}
        answered = {_handling(s, by_id) for s in spans if s["attributes"].get("answer")}
        for span in spans:
            kind = str(span["name"]).partition(" ")[0]
            if kind not in ("deliver", "task"):
                continue
            sender = by_id.get(span["parent_id"])
            caller = _service(sender) if sender is not None else "?"
            if kind == "task":
                caller, sender = CONDUCTOR, None
            begun_s = began_s(sender) if sender is not None and span["attributes"].get("attempt") == "1" else began_s(span)  # fmt: skip
            failed = span["context"]["span_id"] not in answered
            edge = found.setdefault((caller, _service(span)), [])
            edge.append((ended_s(span) - begun_s, failed))
        customers = [s for s in spans if s["name"] == "place order"]
        if customers and not any(str(s["name"]).startswith("publish") for s in spans):
            edge = found.setdefault((_service(customers[0]), CONDUCTOR), [])
            edge += [(ended_s(s) - began_s(s), bool(s["status"].get("description"))) for s in customers]  # fmt: skip
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


def _service(span: dict[str, Any]) -> str:
    return str(span["resource"]["attributes"]["service.name"])


def _handling(span: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> str:
    """The delivery or task in which a span was."""
    at: dict[str, Any] | None = span
    while at is not None and str(at["name"]).partition(" ")[0] not in ("deliver", "task"):
        at = by_id.get(at["parent_id"])
    return str(at["context"]["span_id"]) if at is not None else ""
