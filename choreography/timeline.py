"""A saga as the broker and the services' logs tell it, without any ids of messages."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kernel.saga import Saga
from kernel.timeline import CUSTOMER, Evidence, Timeline, logged_calls


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """A message that went by: its name, and when it became true."""

    name: str
    at_s: float


def native_timeline(saga: Saga, order_id: str, evidence: Evidence) -> Timeline:
    """The saga rebuilt from the audit, the dead letters, the bindings, and what each service has logged.

    No line says what led to what: it is taken to be the last message before it that its service hears. So where two chains
    run at once, it may be the wrong one.
    """
    audit, letters = evidence.get("audit", []), evidence.get("dead_letters", [])
    log = evidence.get("service_log", [])
    bindings: dict[str, set[str]] = {}
    for row in evidence.get("definition", []):
        bindings.setdefault(row["service"], set()).add(row["heard"])
    said = _said(audit)
    calls = logged_calls(
        saga, log, lambda line: _cause(line, said, bindings.get(line["service"], set()))
    )
    native_log = [{k: v for k, v in line.items() if k in _LOGGED} for line in log]
    rows = [*(_without_headers(row) for row in audit), *letters, *native_log]
    return Timeline(
        saga=saga,
        order_id=order_id,
        calls=calls,
        read={
            # the audit, the bindings, and of every service its log and its dead letters
            "sources": 2 + 2 * len(bindings),
            "records": len(rows),
            "bytes": len(json.dumps(rows)),
        },
        **_parked_in(letters),
    )


def _parked_in(letters: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What the last dead letter says, as fields of a Timeline; nothing if there is none."""
    if not letters:
        return {}
    letter = letters[-1]
    return {
        "parked_at": letter["operation"] or letter.get("leads_to", ""),
        "parked_why": f"{letter['reason']}: {letter['fault']}",
        "parked_id": letter["parked_id"],
    }


_LOGGED = ("wall_s", "service", "order_id", "operation", "outcome")
"""What a service logs that knows of no correlation."""


def _without_headers(row: dict[str, Any]) -> dict[str, Any]:
    return {"routing_key": row["routing_key"], "body": row["body"]}


def _said(audit: Iterable[dict[str, Any]]) -> list[_Said]:
    """The readable messages, oldest first."""
    found = []
    for row in audit:
        try:
            body = json.loads(row["body"])
            at_s = datetime.fromisoformat(body["time"]).timestamp()
        except (ValueError, KeyError, TypeError):
            continue
        found.append(_Said(name=row["routing_key"], at_s=at_s))
    return sorted(found, key=lambda said: said.at_s)


def _cause(line: dict[str, Any], said: list[_Said], heard: set[str]) -> str:
    could = heard - {line["outcome"]}
    before = [s.name for s in said if s.at_s <= line["wall_s"] and s.name in could]
    if not before:
        return ""
    return CUSTOMER if before[-1] == line["operation"] else before[-1]
