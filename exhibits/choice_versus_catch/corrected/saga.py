"""Order, inventory, payment: the first three services of the order saga, and an order that is confirmed in the end."""

from collections.abc import Mapping
from pathlib import Path

from exhibits.choice_versus_catch.corrected.reactions import REACTIONS
from kernel.saga import Saga
from kernel.steps import Business
from shared_domain.order.laws import ACCEPTS, RESOURCES
from shared_domain.order.messages import Order, OrderExpired
from shared_domain.order.participants import inventory, order, payment
from shared_domain.order.saga import CHARGE, CONFIRM, PLACE, RESERVE
from shared_domain.order.words import WORDS
from shared_domain.order.workload import WORKLOAD

ROWS = (PLACE, RESERVE, CHARGE, CONFIRM)
PARTICIPANTS: Mapping[str, Business] = {"order": order, "inventory": inventory, "payment": payment}

SAGA = Saga(
    name="choice_versus_catch.corrected",
    order=Order,
    variants={"inventory-first": ROWS},
    expired=OrderExpired,
    participants=PARTICIPANTS,
    reactions={"inventory-first": REACTIONS},
    state_machines={"inventory-first": Path(__file__).with_name("saga.asl.json")},
    resources=tuple(kept for kept in RESOURCES if kept.participant in PARTICIPANTS),
    accepts={step.name: ACCEPTS[step.name] for step in ROWS if step.name in ACCEPTS},
    workload=WORKLOAD,
    words=WORDS,
)
