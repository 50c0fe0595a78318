"""Sentences for replays and reports. What has none is named plainly."""

from kernel.customers import Words

from .messages import Order


def wanted(order: Order) -> str:
    """What the customer asks for, in a few words."""
    return f"one {order.item} for {order.price_cents / 100:,.2f}"


WORDS = Words(
    wanted=wanted,
    effects={
        ("HoldItem", "done"): "{units} held for this order.",
        ("HoldItem", "refused"): "Sold out: nothing is held.",
        ("TakeMoney", "done"): "{money} taken: from here the saga only goes forward.",
        ("TakeMoney", "refused"): "The card is declined: no money is taken.",
        ("FreeItem", "undone"): "{units} free again.",
    },
)
