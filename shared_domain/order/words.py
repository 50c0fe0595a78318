"""Units and sentences of the order saga, for replays and reports."""

from kernel.customers import Words
from shared_domain.order.messages import Order


def wanted(order: Order) -> str:
    """What the customer asks for, in a few words."""
    return f"{order.quantity} x {order.item} for {order.amount_cents / 100:,.2f}"


WORDS = Words(
    wanted=wanted,
    effects={
        ("PlaceOrder", "done"): "The order is opened, and not yet confirmed.",
        ("PlaceOrder", "refused"): "The order is refused: nothing is opened.",
        ("ReserveStock", "done"): "{units} held for this order.",
        ("ReserveStock", "refused"): "Out of stock: nothing is held.",
        ("ChargePayment", "done"): "{money} taken from the customer.",
        ("ChargePayment", "refused"): "The card is declined: no money is taken.",
        ("BookShipment", "done"): "The parcel is booked: from here the saga only goes forward.",
        ("BookShipment", "refused"): "Undeliverable: no parcel is booked.",
        ("ConfirmOrder", "done"): "The order is confirmed.",
        ("CancelShipment", "undone"): "The parcel is cancelled.",
        (
            "CancelShipment",
            "kept",
        ): "Too late: the parcel is booked already, so the saga goes forward.",
        ("RefundPayment", "undone"): "{money} given back to the customer.",
        ("ReleaseStock", "undone"): "{units} free again.",
        ("CancelOrder", "undone"): "The order is cancelled.",
    },
)
