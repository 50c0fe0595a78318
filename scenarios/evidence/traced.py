"""A saga as its trace tells it: the spans under the customer's, found by their parents and links alone.

What led to what: the message of a delivery; a conductor's tasks have the same parent, so there it is the answer before.
"""

import json
from datetime import datetime
from typing import Any

from kernel.saga import Saga
from kernel.timeline import CUSTOMER, Call, Evidence, Timeline

ROOT = "place order"
_DELIVER, _TASK = "deliver ", "task "
UNREADABLE = "unreadable"


def traced_timeline(saga: Saga, order_id: str, evidence: Evidence) -> Timeline:
    """The saga rebuilt from the trace that begins with the customer's span, and from traces that it links to.

    Spans that lost their context are in traces of their own: a tracing backend does not show them with this one, even if they
    carry the order's id.
    """
    spans = evidence.get("trace", [])
    inside = in_trace(spans)
    by_id = {span["context"]["span_id"]: span for span in inside}
    hops_with_body = {span["parent_id"] for span in inside if not is_hop(span) and _operation(span)}
    calls: list[Call] = []
    parked: dict[str, str] = {}
    answers: list[tuple[float, str]] = []
    for span in sorted(filter(_operation, inside), key=ended_s):
        attributes = span["attributes"]
        if attributes.get("parked"):
            parked = {"parked_at": _operation(span), "parked_why": attributes["parked"]}
        answer = str(attributes.get("answer", ""))
        if is_hop(span) and not answer and span["context"]["span_id"] in hops_with_body:
            continue  # its body tells
        if is_hop(span) and attributes.get("parked") == UNREADABLE:
            continue  # nobody was called
        heard = _heard(span, by_id)
        cause = _before(began_s(span), answers) if heard is None else heard
        calls.append(
            Call(
                operation=_operation(span),
                service=span["resource"]["attributes"]["service.name"],
                began_s=began_s(span),
                ended_s=ended_s(span),
                answer=answer,
                failure=_lost(span, by_id) if answer else failure_of(span),
                cause=CUSTOMER if cause == _operation(span) else cause,
                repeated=bool(attributes.get("repeated", False)),
            )
        )
        if answer:
            answers.append((ended_s(span), answer))
    return Timeline(
        saga=saga,
        order_id=order_id,
        calls=tuple(calls),
        read={"sources": 1, "records": len(inside), "bytes": len(json.dumps(inside))},
        **parked,
    )


def _lost(span: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> str:
    """Why the answer of a participant did not reach who had asked, "" = it did."""
    hop = by_id.get(hop_of(span, by_id))
    lost = hop is not None and hop is not span and hop["status"]["status_code"] == "ERROR"
    return failure_of(hop) if hop is not None and lost else ""


def _before(at_s: float, answers: list[tuple[float, str]]) -> str:
    """The last answer before a call began: not the one before it in the list, if calls ran at the same time."""
    return max((a for a in answers if a[0] <= at_s), default=(0.0, CUSTOMER))[1]


def is_hop(span: dict[str, Any]) -> bool:
    """Whether a span is a delivery or a task, in which a participant may have been called."""
    return str(span["name"]).startswith((_DELIVER, _TASK))


def hop_of(span: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> str:
    """The id of the delivery or the task in which a span was; "" = none."""
    at: dict[str, Any] | None = span
    while at is not None and not is_hop(at):
        at = by_id.get(at["parent_id"])
    return str(at["context"]["span_id"]) if at is not None else ""


def _operation(span: dict[str, Any]) -> str:
    return str(span["attributes"].get("operation", ""))


def in_trace(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those in the traces that a customer's span began, and in traces linked from there."""
    by_trace: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        by_trace.setdefault(span["context"]["trace_id"], []).append(span)
    found: dict[str, None] = {}
    todo = [span["context"]["trace_id"] for span in spans if span["name"] == ROOT]
    while todo:
        trace_id = todo.pop()
        if trace_id in found:
            continue
        found[trace_id] = None
        for span in by_trace.get(trace_id, []):
            todo += [link["context"]["trace_id"] for link in span["links"]]
    return [span for trace_id in found for span in by_trace.get(trace_id, [])]


def began_s(span: dict[str, Any]) -> float:
    """When a span began, in seconds since the epoch."""
    return _seconds(span["start_time"])


def ended_s(span: dict[str, Any]) -> float:
    """When a span ended, in seconds since the epoch."""
    return _seconds(span["end_time"])


def failure_of(span: dict[str, Any]) -> str:
    """What a span says went wrong in it."""
    return str(span["status"].get("description") or "")


def _heard(span: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> str | None:
    """The message whose delivery led to a call; None if a conductor called."""
    at: dict[str, Any] | None = span
    while at is not None:
        if at["name"].startswith(_DELIVER):
            return str(at["name"]).removeprefix(_DELIVER)
        if at["name"].startswith(_TASK):
            return None
        at = by_id.get(at["parent_id"])
    return ""


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
