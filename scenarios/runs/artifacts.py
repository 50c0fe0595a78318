"""What is written down when a run is over."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from kernel.ports import Parked
from kernel.tracing import OtelTracer
from scenarios.runs.customers import Customer
from scenarios.runs.driver import Ended
from scenarios.runs.folder import RunFolder, leave_lines, verdict_document
from scenarios.runs.spec import now_utc

OPERATOR = "evidence/operator.jsonl"
"""What operators did, one act per line."""
SERVICE_LOG = "evidence/service_log.jsonl"
"""What the participants' own logs say."""


def acts_of(action: str, sagas: Iterable[Parked]) -> list[dict[str, Any]]:
    """What an operator has done just now, as lines of OPERATOR."""
    utc = now_utc()
    return [
        {"utc": utc, "action": action, "order_id": s.order_id, "parked_id": s.parked_id}
        for s in sagas
    ]


def redriven(acts: Iterable[dict[str, Any]]) -> set[str]:
    """The orders that an operator has sent on."""
    return {act["order_id"] for act in acts if act["action"] == "redrive"}


def discarded(acts: Iterable[dict[str, Any]]) -> set[str]:
    """The orders of which an operator has given something up."""
    return {act["order_id"] for act in acts if act["action"] == "discard"}


def leave(
    folder: RunFolder,
    *,
    customers: Sequence[Customer],
    ended: Ended,
    tracer: OtelTracer,
    acts: list[dict[str, Any]],
) -> None:
    """Write a run down. `acts`: what operators did meanwhile."""
    folder.write_lines("orders.jsonl", [c.line(index) for index, c in enumerate(customers)])
    leave_lines(folder, ended.ledgers, ended.parked)
    folder.write_lines("trace.jsonl", tracer.take())
    folder.write_lines(SERVICE_LOG, tracer.take_log())
    folder.write_lines("faults.jsonl", [asdict(injection) for injection in ended.injections])
    if acts:
        folder.write_lines(OPERATOR, acts)
    document = verdict_document(ended.verdict)
    document["timing"]["settlement"] = asdict(ended.settlement)
    folder.write("verdict.json", document)
