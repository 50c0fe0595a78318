"""One participant as a running service: consumer, relay and deadline watch, restarted after a crash.

The same code whether all services share a process or each has its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from choreography.broker import Broker
from choreography.consumer import Consumer
from choreography.deadline import watch_deadlines
from choreography.paused_relay import PausedRelay
from choreography.relay import Relay
from kernel.environment import Environment
from kernel.errors import ParticipantCrashed
from kernel.participant import Participant
from kernel.ports import Service

Loop = Callable[[], Awaitable[None]]


async def serve_participant(
    participant: Participant,
    *,
    service: Service,
    broker: Broker,
    environment: Environment,
) -> None:
    """React to events until cancelled. `service` is the participant, or a wrapper around it."""
    consumer = Consumer(participant, service=service, broker=broker, environment=environment)
    relaying = PausedRelay if environment.saga.outbox else Relay
    relay = relaying(participant, broker=broker, environment=environment)
    guards = environment.guards
    loops: list[Loop] = [consumer.run]
    if guards.outbox:
        loops.append(relay.run)
    if participant.name == environment.saga.opener and guards.timeouts:
        at_once = None if guards.outbox else broker
        loops.append(partial(watch_deadlines, participant, environment, publish_at_once=at_once))
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
