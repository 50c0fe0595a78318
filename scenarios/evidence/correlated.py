"""A saga as correlation ids tell it: every service logs the message_id that it works on, and the one that led to it."""

import json

from kernel.saga import Saga
from kernel.timeline import Evidence, Timeline, logged_calls, logged_parking, name_of


def correlated_timeline(saga: Saga, order_id: str, evidence: Evidence) -> Timeline:
    """The saga rebuilt from the services' logs with their ids, in either style.

    What never reached a service, or could not be read there, is in no log.
    """
    log = evidence.get("service_log", [])
    return Timeline(
        saga=saga,
        order_id=order_id,
        calls=logged_calls(saga, log, lambda line: name_of(line["caused_by"])),
        read={"sources": len(saga.services), "records": len(log), "bytes": len(json.dumps(log))},
        **logged_parking(log),
    )
