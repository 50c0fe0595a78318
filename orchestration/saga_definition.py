"""The order saga's state machine as deployed: the page in this folder, less the guards that are off."""

import json
from importlib import resources
from typing import Any

from shared_domain.guards import Guards
from shared_domain.policy import OnDeadline, Policy

PAGES = {
    "inventory-first": "order_saga.asl.json",
    "payment-first": "order_saga_payment_first.asl.json",
}
FORWARD = frozenset({"PlaceOrder", "ReserveStock", "ChargePayment", "BookShipment", "ConfirmOrder"})


def saga_definition(
    step_order: str, guards: Guards, on_deadline: str = OnDeadline.COMPENSATE
) -> dict[str, Any]:
    """The definition in Amazon States Language for one run.

    With REPORT the execution itself has the saga deadline: it ends as TIMED_OUT, which nothing can catch. Otherwise the
    step deadlines keep the saga within it, and what they stop is compensated.
    """
    text = resources.files("orchestration").joinpath(PAGES[step_order]).read_text()
    definition: dict[str, Any] = json.loads(text)
    for name, state in definition["States"].items():
        if state["Type"] != "Task":
            continue
        if not (guards.retries if name in FORWARD else guards.compensation_retries):
            del state["Retry"]
        if not guards.timeouts:
            del state["TimeoutSeconds"]
    if on_deadline == OnDeadline.REPORT and guards.timeouts:
        definition["TimeoutSeconds"] = Policy().saga_deadline_s
    return definition
