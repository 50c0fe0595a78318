"""A saga as correlation ids tell it: every service logs the message_id that it works on, and the one that led to it."""

import json

from shared_domain.account import Account, Evidence, logged_calls, logged_parking, name_of
from shared_domain.participants import NAMES


def correlated_account(order_id: str, evidence: Evidence) -> Account:
    """The saga rebuilt from the services' logs with their ids, in either style.

    What never reached a service, or could not be read there, is in no log.
    """
    log = evidence.get("service_log", [])
    return Account(
        order_id=order_id,
        calls=logged_calls(log, lambda line: name_of(line["caused_by"])),
        read={"sources": len(NAMES), "records": len(log), "bytes": len(json.dumps(log))},
        **logged_parking(log),
    )
