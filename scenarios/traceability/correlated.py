"""A saga as correlation ids tell it: every service logs the message_id that it works on, and the one that led to it."""

import json

from shared_domain.account import Account, Call, Evidence, name_of, outcome


def correlated_account(order_id: str, evidence: Evidence) -> Account:
    """The saga rebuilt from the services' logs with their ids, and from the headers of dead letters, in either style."""
    log, letters = evidence.get("service_log", []), evidence.get("dead_letters", [])
    calls = [
        Call(
            operation=name_of(line["message_id"]),
            service=line["service"],
            began_s=None,
            ended_s=line["wall_s"],
            cause=name_of(line["caused_by"]),
            **outcome(line["outcome"]),
        )
        for line in sorted(log, key=lambda line: float(line["wall_s"]))
    ]
    parked = {}
    if letters:
        letter = letters[-1]
        parked = {
            "parked_at": letter["operation"] or letter.get("leads_to", ""),
            "parked_why": f"{letter['reason']}: {letter['fault']}",
            "parked_id": letter["parked_id"],
        }
    rows = [*log, *letters]
    services = 4
    return Account(
        order_id=order_id,
        calls=tuple(calls),
        read={
            "sources": services * (2 if "dead_letters" in evidence else 1),
            "records": len(rows),
            "bytes": len(json.dumps(rows)),
        },
        **parked,
    )
