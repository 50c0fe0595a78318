"""A saga as the broker alone tells it; and as an audit queue and the services' logs do, without any ids of messages."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kernel.saga import Saga
from kernel.timeline import CUSTOMER, Call, Evidence, Timeline, answer_in, logged_calls


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """A message that went by: its name, and when it became true."""

    name: str
    at_s: float


def native_timeline(saga: Saga, order_id: str, evidence: Evidence) -> Timeline:
    """What RabbitMQ alone has about a saga: its dead letters, if there are any. A message that was handled leaves nothing."""
    letters = evidence.get("dead_letters", [])
    services = {row["service"] for row in evidence.get("definition", [])}
    calls = [call for letter in letters for call in _calls_of(saga, letter)]
    return Timeline(
        saga=saga,
        order_id=order_id,
        calls=tuple(sorted(calls, key=lambda call: call.at_s)),
        read={
            "sources": len(services),
            "records": len(letters),
            "bytes": len(json.dumps(letters)),
        },
        **_parked_in(letters),
    )


def _calls_of(saga: Saga, letter: dict[str, Any]) -> Iterator[Call]:
    """What led to a dead letter, and the attempts that failed."""
    heard = letter["routing_key"]
    said_by = next((name for name, answers in saga.answers.items() if heard in answers), "")
    if said_by and (said := _said([letter])):
        yield Call(
            operation=said_by,
            service=saga.served_by[said_by],
            began_s=None,
            ended_s=said[0].at_s,
            answer=heard,
        )
    for attempt in letter["attempts"]:
        yield Call(
            operation=letter["operation"] or letter.get("leads_to", ""),
            service=letter["queue"],
            began_s=None,
            ended_s=attempt["wall_s"],
            failure=attempt["fault"],
            cause=CUSTOMER if heard == letter["operation"] else heard,
        )


def audited_timeline(saga: Saga, order_id: str, evidence: Evidence) -> Timeline:
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
    could = heard - {answer_in(line["outcome"])}
    before = [s.name for s in said if s.at_s <= line["wall_s"] and s.name in could]
    if not before:
        return ""
    return CUSTOMER if before[-1] == line["operation"] else before[-1]
