"""The orchestration's side of planted bugs: in the state machine."""

from collections.abc import Callable
from typing import Any

from orchestration import saga_definition as definitions
from orchestration import system as orchestration_system
from orchestration.system import OrchestratedSystem
from scenarios.catalog.bug import Plant, replaced
from shared_domain.order.messages import Order

_define = definitions.saga_definition
_place_order = OrchestratedSystem.start
States = dict[str, Any]


def _machine(change: Callable[[States], None]) -> Plant:
    """The state machine, changed before it is created."""

    def define(*arguments: Any) -> dict[str, Any]:
        definition = _define(*arguments)
        change(definition["States"])
        return definition

    return replaced(orchestration_system, "saga_definition", define)


def _route(state: str, answer: str, to: str) -> Callable[[States], None]:
    """A Choice that sends this answer elsewhere."""

    def change(states: States) -> None:
        rule = next(r for r in states[state]["Choices"] if r["StringEquals"] == answer)
        rule["Next"] = to

    return change


def _wrong_order(states: States) -> None:
    _route("ShipmentAnswer", "ShipmentRefused", "ReleaseStock")(states)
    states["ReleaseStock"]["Next"], states["RefundPayment"]["Next"] = (
        "RefundPayment",
        "CancelOrder",
    )


def _catching(operation: str, to: str) -> Callable[[States], None]:
    def change(states: States) -> None:
        caught = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": to}
        states[operation]["Catch"] = [caught]

    return change


def _without_catch(states: States) -> None:
    del states["ChargePayment"]["Catch"]


def _refund_may_fail(states: States) -> None:
    caught = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "ReleaseStock"}
    states["RefundPayment"]["Catch"] = [caught]


def _only_custom_errors(states: States) -> None:
    caught = {"ErrorEquals": ["PaymentError"], "ResultPath": "$.failure", "Next": "RefundPayment"}
    states["ChargePayment"]["Catch"] = [caught]


def _paid_unless_declined(states: States) -> None:
    """Looks for a status that payment does not have, and takes any other one for paid."""
    states["PaymentAnswer"]["Choices"] = [
        {"Variable": "$.answer.name", "StringEquals": "DECLINED", "Next": "ReleaseStock"}
    ]
    states["PaymentAnswer"]["Default"] = "BookShipment"


async def _greets_too_early(self: OrchestratedSystem, order: Order) -> str:
    await _place_order(self, order)
    return "CONFIRMED"


def _shipped_before_paid(states: States) -> None:
    _route("StockAnswer", "StockReserved", "BookShipment")(states)
    _route("ShipmentAnswer", "ShipmentBooked", "ChargePayment")(states)
    _route("PaymentAnswer", "PaymentCharged", "ConfirmOrder")(states)


PLANTS: dict[str, Plant] = {
    "shipped_before_paid": _machine(_shipped_before_paid),
    "compensations_missing": _machine(_route("ShipmentAnswer", "ShipmentRefused", "CancelOrder")),
    "compensations_in_the_wrong_order": _machine(_wrong_order),
    "refused_step_compensated": _machine(
        _route("PaymentAnswer", "PaymentDeclined", "RefundPayment")
    ),
    "declined_taken_for_paid": _machine(_paid_unless_declined),
    "failed_refund_ignored": _machine(_refund_may_fail),
    "confirmed_from_the_start": replaced(OrchestratedSystem, "start", _greets_too_early),
    "booking_unknown_is_undone": _machine(_catching("BookShipment", "RefundPayment")),
    "catch_missing": _machine(_without_catch),
    "catch_goes_to_cancelled": _machine(_catching("ChargePayment", "OrderCancelled")),
    "timeout_not_caught": _machine(_only_custom_errors),
}
"""Name of a bug -> how it is planted here."""
