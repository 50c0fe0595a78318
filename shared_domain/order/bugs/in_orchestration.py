"""The orchestration's side of planted bugs: in the state machine."""

from orchestration.system import OrchestratedSystem
from scenarios.catalog.bug import Plant, replaced
from scenarios.catalog.planting import (
    States,
    catching,
    leads,
    machine,
    route,
    routes,
    without_catch,
)
from shared_domain.order.messages import Order

_place_order = OrchestratedSystem.start


def _paid_unless_declined(states: States) -> None:
    """Looks for a status that payment does not have, and takes any other one for paid."""
    states["PaymentAnswer"]["Choices"] = [
        {"Variable": "$.answer.name", "StringEquals": "DECLINED", "Next": "ReleaseStock"}
    ]
    states["PaymentAnswer"]["Default"] = "BookShipment"


async def _greets_too_early(self: OrchestratedSystem, order: Order) -> str:
    await _place_order(self, order)
    return "CONFIRMED"


PLANTS: dict[str, Plant] = {
    "shipped_before_paid": machine(
        routes(
            route("StockAnswer", "StockReserved", "BookShipment"),
            route("ShipmentAnswer", "ShipmentBooked", "ChargePayment"),
            route("PaymentAnswer", "PaymentCharged", "ConfirmOrder"),
        )
    ),
    "compensations_missing": machine(route("ShipmentAnswer", "ShipmentRefused", "CancelOrder")),
    "compensations_in_the_wrong_order": machine(
        routes(
            route("ShipmentAnswer", "ShipmentRefused", "ReleaseStock"),
            leads("ReleaseStock", "RefundPayment"),
            leads("RefundPayment", "CancelOrder"),
        )
    ),
    "refused_step_compensated": machine(route("PaymentAnswer", "PaymentDeclined", "RefundPayment")),
    "declined_taken_for_paid": machine(_paid_unless_declined),
    "failed_refund_ignored": machine(catching("RefundPayment", "ReleaseStock")),
    "confirmed_from_the_start": replaced(OrchestratedSystem, "start", _greets_too_early),
    "booking_unknown_is_undone": machine(catching("BookShipment", "RefundPayment")),
    "catch_missing": machine(without_catch("ChargePayment")),
    "catch_goes_to_cancelled": machine(catching("ChargePayment", "OrderCancelled")),
    "timeout_not_caught": machine(
        catching("ChargePayment", "RefundPayment", errors="PaymentError")
    ),
}
"""Name of a bug -> how it is planted here."""
