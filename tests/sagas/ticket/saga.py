"""The tiny saga."""

from dataclasses import replace
from pathlib import Path
from random import Random

from kernel.customers import Workload
from kernel.reactions import Reactions
from kernel.resources import Resource
from kernel.saga import Saga
from kernel.steps import Step
from ticket import desk, hall
from ticket.messages import (
    Ask,
    Asked,
    AskedTooLong,
    Close,
    Closed,
    Full,
    Request,
    Seat,
    Seated,
    Withdraw,
    Withdrawn,
)

REACTIONS: Reactions = {
    Ask: ("desk", Ask),
    Asked: ("hall", Seat),
    Seated: ("desk", Close),
    Full: ("desk", Withdraw),
}


def order(index: int, *, n: int, chance: Random, item: str) -> Request:
    """The request of this index."""
    return Request(order_id=f"ticket-{index:05d}", guest=f"guest-{chance.randrange(n)}")


def refusable(wanted: Request, operation: str) -> Request:
    """The request, changed so that the hall refuses it."""
    return replace(wanted, balcony=True) if operation == "Seat" else wanted


SAGA = Saga(
    name="ticket",
    order=Request,
    variants={
        "usual": (
            Step(command=Ask, service="desk", done=Asked, undo=Withdraw, undone=Withdrawn),
            Step(command=Seat, service="hall", done=Seated, refused=Full, pivot=True),
            Step(command=Close, service="desk", done=Closed),
        )
    },
    expired=AskedTooLong,
    participants={"desk": desk, "hall": hall},
    reactions={"usual": REACTIONS},
    state_machines={"usual": Path(__file__).with_name("ticket.asl.json")},
    resources=(
        Resource(
            participant="hall", name="seats", unit="seats", due=lambda order: 1,
            table="seats", rows={"taken": 1},
        ),
    ),
    workload=Workload(order=order, refusable=refusable, item=""),
)  # fmt: skip
