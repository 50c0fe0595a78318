"""One participant as a running service: consumer, relay and deadline watch, restarted after a crash.

The same code whether all services share a process or each has its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from choreography.broker import Broker
from choreography.consumer import Consumer
from choreography.deadline import watch_deadlines
from choreography.reactions import STEP_ORDERS
from choreography.relay import Relay
from shared_domain.errors import ParticipantCrashed
from shared_domain.guards import Guards
from shared_domain.participant import Participant
from shared_domain.policy import Policy
from shared_domain.ports import Clock, Service

Loop = Callable[[], Awaitable[None]]


async def serve_participant(
    door: Participant,
    *,
    service: Service,
    broker: Broker,
    step_order: str,
    policy: Policy,
    guards: Guards,
    clock: Clock,
) -> None:
    """React to events until cancelled. `service` is the participant's door, or a wrapper around it."""
    consumer = Consumer(
        service=service,
        database=door.database,
        reactions=STEP_ORDERS[step_order],
        broker=broker,
        once=door.once,
        policy=policy,
        guards=guards,
        tracer=door.tracer,
        clock=clock,
    )
    relay = Relay(
        name=door.name, database=door.database, broker=broker, tracer=door.tracer, clock=clock
    )
    loops: list[Loop] = [consumer.run]
    if guards.outbox:
        loops.append(relay.run)
    if door.name == "order" and guards.timeouts:
        at_once = None if guards.outbox else broker
        watch = partial(watch_deadlines, door, policy=policy, clock=clock, publish_at_once=at_once)
        loops.append(watch)
    await serve(loops)


async def serve(loops: list[Loop]) -> None:
    """Run every loop until cancelled.

    A ParticipantCrashed in one of them ends them all without an ack or an answer, closes their
    connections, and starts them again: what kill -9 and a supervisor do to a process.
    """
    while True:
        life = asyncio.create_task(_live(loops))
        try:
            # Waiting for a task, not in it: a crash in the moment in which this is cancelled cannot hide the cancellation.
            await asyncio.wait([life])
        finally:
            life.cancel()
            (crash,) = await asyncio.gather(life, return_exceptions=True)
        try:
            if crash is not None:
                raise crash
        except* ParticipantCrashed:
            pass  # and round again: the supervisor's restart


async def _live(loops: list[Loop]) -> None:
    async with asyncio.TaskGroup() as life:
        for loop in loops:
            life.create_task(_run(loop))


async def _run(loop: Loop) -> None:
    await loop()
