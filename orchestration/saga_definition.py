"""The order saga's state machine as deployed: the page in this folder, less the guards that are off."""

import json
from importlib import resources
from typing import Any

from shared_domain.guards import Guards

PAGES = {
    "inventory-first": "order_saga.asl.json",
    "payment-first": "order_saga_payment_first.asl.json",
}
FORWARD = frozenset({"PlaceOrder", "ReserveStock", "ChargePayment", "BookShipment", "ConfirmOrder"})


def saga_definition(step_order: str, guards: Guards) -> dict[str, Any]:
    """The definition in Amazon States Language for one run."""
    text = resources.files("orchestration").joinpath(PAGES[step_order]).read_text()
    definition: dict[str, Any] = json.loads(text)
    for name, state in definition["States"].items():
        if state["Type"] != "Task":
            continue
        if not (guards.retries if name in FORWARD else guards.compensation_retries):
            del state["Retry"]
        if not guards.timeouts:
            del state["TimeoutSeconds"]
    return definition
