"""The saga deadline of the choreography: the order service notices that an order has been open too long.

A success may still be on its way, and come later than the compensation that the deadline starts. Then it meets a tombstone
and is refused; or, if the parcel is booked already, the cancellation is answered ShipmentAlreadyBooked and the saga goes
forward: shipping's ledger decides, and either way the ledgers agree in the end (see docs/deadlines.md).
"""

import contextlib

from choreography.broker import Broker
from choreography.cloud_events import envelope, publish
from shared_domain.errors import Failure
from shared_domain.order.service import OrderService
from shared_domain.participant import Participant
from shared_domain.policy import OnDeadline, Policy
from shared_domain.ports import Clock


async def watch_deadlines(
    door: Participant, *, policy: Policy, clock: Clock, publish_at_once: Broker | None
) -> None:
    """Announce OrderExpired for every order that outlives the saga deadline, until cancelled; or only mark them.

    `publish_at_once`: where to publish without an outbox; None = the relay does it.
    """
    orders = OrderService(once=door.once, clock=clock)
    announce = policy.on_deadline == OnDeadline.COMPENSATE
    while True:
        await clock.sleep(policy.saga_s() / 20)
        expired = await door.database.write(
            lambda tx: orders.expire(tx, deadline_s=policy.saga_s(), announce=announce)
        )
        if announce and publish_at_once is not None:
            for event in expired:
                message = envelope(event, source=door.name, wall_s=clock.wall_s())
                with contextlib.suppress(
                    Failure
                ):  # without an outbox it is lost: that is what it is for
                    await publish(publish_at_once, message, door.tracer, service=door.name)
