"""The choreography as a style: how a run opens it, and all that is particular to it."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from choreography.brokers import kind_of
from choreography.rabbit_broker import RabbitBroker
from choreography.rabbit_connection import AMQP_VARIABLE
from choreography.service_host import serve_participant
from choreography.system import place, topology
from choreography.timeline import audited_timeline, native_timeline
from kernel.participant import Participant
from kernel.saga import Saga
from scenarios.faults.network import UnreliableBroker, UnreliableLink
from scenarios.faults.planned import PlannedFaults
from scenarios.judge.verdict import BROKEN_LAW, OrderClass
from scenarios.runs.environment import RunEnvironment, RunningSystem
from scenarios.runs.participant_config import ParticipantConfig
from scenarios.runs.process_of_a_run import ProcessOfARun
from scenarios.styles.rolling_choreography import rolling
from scenarios.styles.style import Look, Style


@asynccontextmanager
async def choreography(environment: RunEnvironment) -> AsyncIterator[RunningSystem]:
    """Services that react to each other's events."""
    kind = kind_of(environment.backends.broker)
    assert kind is not None
    async with AsyncExitStack() as stack:
        yield await kind.open()(environment, stack)


@asynccontextmanager
async def host(
    config: ParticipantConfig, participant: Participant, faults: PlannedFaults, port: int
) -> AsyncIterator[None]:
    """One participant in a process of its own, reacting to events while the context is open. `port` is not needed."""
    environment = config.environment(faults=faults, tracer=participant.tracer, clock=faults.clock)
    opening = RabbitBroker.open(
        os.environ[AMQP_VARIABLE],
        topology(prefix=config.prefix, environment=environment),
        durability=config.durability,
        confirms=config.guards.confirms,
    )
    async with opening as broker, asyncio.TaskGroup() as running:
        serving = serve_participant(
            participant,
            service=UnreliableLink(participant, faults, environment.clock, answers_return=False),
            broker=UnreliableBroker(broker, faults, environment),
            environment=environment,
        )
        task = running.create_task(serving)
        try:
            yield
        finally:
            task.cancel()


@asynccontextmanager
async def entrance(mine: ProcessOfARun) -> AsyncIterator[Callable[[Any], Awaitable[str]]]:
    """Customers in a process of their own: each order is an opening message."""
    async with RabbitBroker.open(
        os.environ[AMQP_VARIABLE],
        topology(prefix=mine.config.prefix, environment=mine.environment),
        durability=mine.config.durability,
        confirms=mine.config.guards.confirms,
    ) as broker:
        unreliable = UnreliableBroker(broker, mine.faults, mine.environment)
        yield partial(place, broker=unreliable, environment=mine.environment)


def _forgotten(saga: Saga, variant: str, operation: str) -> str:
    """The saga deadline rescues the saga, and a law says that it had to; where nobody reacts to the deadline, nothing does.

    An order that was never opened has no deadline. And the chain that the deadline starts ends where a compensation has been
    made before: that one is only answered again, not published again.
    """
    rescues = [r.command for r in saga.reacting(variant) if saga.expired in r.hears()]
    undone = [[s.undo for s in stage if s.undo] for stage in reversed(saga.stages(variant))]
    chain = [undos for undos in undone if undos]
    starts = next((n for n, undos in enumerate(chain) if set(undos) & set(rescues)), None)
    if starts is None:
        return OrderClass.STUCK
    too_late = {undo.__name__ for undos in chain[starts + 2 :] for undo in undos}
    return OrderClass.STUCK if operation in {*too_late, saga.opening.__name__} else BROKEN_LAW


STYLE = Style(
    name="choreography",
    words="Each service reacts to the events of the others, through a broker; nobody conducts.",
    open=choreography,
    host=host,
    entrance=entrance,
    roll_out=rolling,
    native=native_timeline,
    audited=audited_timeline,
    coordinator=lambda backends: backends.broker_kind,
    conducted=False,
    parked="dead letter",
    parked_command="dead-letters",
    look=Look(colour="#b4551d", line="-", marker="o"),
    forgotten=_forgotten,
    parked_evidence=("dead_letters", "parked_id"),
    discards=True,
    kept_evidence="audit",
)
