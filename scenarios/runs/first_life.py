"""What a resumed run takes up from its first life: who had been served, what was left open, and when customers came of whom the kill left no note."""

from collections.abc import Sequence
from pathlib import Path

from kernel.orders import TERMINAL
from kernel.participants import Participants
from kernel.saga import Saga
from scenarios.runs.customers import Customer
from scenarios.runs.journal import read_customers


async def taken_up(work: Path, saga: Saga, participants: Participants) -> list[Customer]:
    """The customers of the first life; who had been served is not served again."""
    customers = read_customers(work, saga)
    placed = await _placed_mono_s(saga, participants)
    for customer in customers:
        # LOOK: who came just before the kill is not in the journal yet; when he came is then known from his order.
        at = placed.get(customer.order.order_id)
        if customer.accepted_mono_s is None and at is not None:
            customer.intended_mono_s = customer.started_mono_s = customer.accepted_mono_s = at
    return customers


async def left_open(customers: Sequence[Customer], participants: Participants) -> set[str]:
    """The accepted orders that have not ended."""
    statuses = await participants.statuses()
    served = {c.order.order_id for c in customers if c.accepted_mono_s is not None}
    return {order_id for order_id in served if statuses.get(order_id) not in TERMINAL}


async def date_by_orders(
    customers: Sequence[Customer], saga: Saga, participants: Participants
) -> None:
    """Nobody comes after her own order: who was on the way at the kill came before it, not when she came again.

    The services handle such a request as soon as they are back, before the customer comes again.
    """
    placed = await _placed_mono_s(saga, participants)
    for customer in customers:
        at = placed.get(customer.order.order_id, customer.intended_mono_s)
        customer.intended_mono_s = min(customer.intended_mono_s, at)


async def _placed_mono_s(saga: Saga, participants: Participants) -> dict[str, float]:
    """When each order was placed, as far as it was."""
    placed: dict[str, float] = {}
    for row in (await participants.ledgers())[saga.opener]["ledger"]:
        placed.setdefault(row["order_id"], row["mono_s"])
    return placed
