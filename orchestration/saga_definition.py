"""The order saga's state machine as deployed: the page in this folder, less the guards that are off."""

import json
from functools import cache
from importlib import resources
from typing import Any

from shared_domain.guards import Guards
from shared_domain.policy import OnDeadline, Policy

PAGES = {
    "inventory-first": "order_saga.asl.json",
    "payment-first": "order_saga_payment_first.asl.json",
}
FORWARD = frozenset({"PlaceOrder", "ReserveStock", "ChargePayment", "BookShipment", "ConfirmOrder"})


def saga_definition(step_order: str, guards: Guards, policy: Policy) -> dict[str, Any]:
    """The definition in Amazon States Language for one run, in unscaled seconds: retries and deadlines are the policy's.

    With REPORT the execution itself has the saga deadline: it ends as TIMED_OUT, which nothing can catch. Otherwise the
    step deadlines keep the saga within it, and what they stop is compensated.
    """
    definition: dict[str, Any] = json.loads(_page(step_order))
    for name, state in definition["States"].items():
        if state["Type"] != "Task":
            continue
        if policy.retries(compensation=name not in FORWARD, guards=guards):
            state["Retry"][-1] |= {
                "IntervalSeconds": policy.interval_s,
                "BackoffRate": policy.backoff_rate,
                "MaxDelaySeconds": policy.max_delay_s,
                "MaxAttempts": policy.max_retries,
            }
        else:
            del state["Retry"]
        if guards.timeouts:
            state["TimeoutSeconds"] = policy.step_deadline_s
        else:
            del state["TimeoutSeconds"]
    if policy.on_deadline == OnDeadline.REPORT and guards.timeouts:
        definition["TimeoutSeconds"] = policy.saga_deadline_s
    return definition


@cache
def _page(step_order: str) -> str:
    return resources.files("orchestration").joinpath(PAGES[step_order]).read_text()
