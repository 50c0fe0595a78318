"""The saga deadline of the choreography: the service that opened a saga notices that it has been open too long.

A success may still be on its way, and come later than the compensation that the deadline starts. Then it meets a tombstone
and is refused; or, past the pivot, the cancellation is answered with what is kept, and the saga goes
forward: the pivot's ledger decides, and either way the ledgers agree in the end (see docs/deadlines.md).
"""

import contextlib

from choreography.broker import Broker
from choreography.cloud_events import envelope, publish
from kernel import orders
from kernel.environment import Environment
from kernel.errors import Failure
from kernel.participant import Participant
from kernel.policy import OnDeadline


async def watch_deadlines(
    participant: Participant, environment: Environment, *, publish_at_once: Broker | None
) -> None:
    """Announce every order that outlives the saga deadline, until cancelled; or only mark them.

    `publish_at_once`: where to publish without an outbox; None = the relay does it.
    """
    policy, clock, saga = environment.policy, participant.clock, environment.saga
    announce = policy.on_deadline == OnDeadline.COMPENSATE
    while True:
        await clock.sleep(policy.saga_s() / 20)
        expired = await participant.database.write(
            lambda tx: orders.expire(
                tx,
                older_than_wall_s=clock.wall_s() - policy.saga_s(),
                codec=saga.codec,
                expired=saga.expired,
                outbox=participant.outbox if announce else None,
            )
        )
        if announce and publish_at_once is not None:
            for event in expired:
                message = envelope(event, source=participant.name, wall_s=clock.wall_s())
                with contextlib.suppress(
                    Failure
                ):  # without an outbox it is lost: that is what it is for
                    await publish(
                        publish_at_once, message, participant.tracer, service=participant.name
                    )
