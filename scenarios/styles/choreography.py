"""How the choreography of a run is running_system over its backends, in one process or in several."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from choreography import memory_journal
from choreography.broker import Broker, Topology
from choreography.memory_broker import MemoryBroker
from choreography.rabbit_broker import RabbitBroker
from choreography.rabbit_connection import AMQP_VARIABLE
from choreography.rabbit_troubles import TROUBLES
from choreography.service_host import serve_participant
from choreography.system import ChoreographedSystem, topology
from choreography.timeline import native_account
from kernel.database import Database
from kernel.participant import Participant
from kernel.ports import Service
from kernel.saga import Saga
from scenarios.faults.network import UnreliableBroker, UnreliableLink
from scenarios.faults.planned import PlannedFaults
from scenarios.faults.soft_wire import SoftWire
from scenarios.faults.tcp_proxy import TcpProxy
from scenarios.judge.verdict import BROKEN_LAW, OrderClass
from scenarios.runs.environment import RunEnvironment, RunningSystem, open_wires
from scenarios.runs.participant_config import ParticipantConfig
from scenarios.runs.processes import ParticipantProcess, supervised
from scenarios.styles.style import Look, Style

_PORTS = {"amqp": 5672, "amqps": 5671}


@asynccontextmanager
async def choreography(environment: RunEnvironment) -> AsyncIterator[RunningSystem]:
    """Services that react to each other's events."""
    async with AsyncExitStack() as stack:
        if environment.backends.broker == "memory":
            yield await _on_memory(environment, stack)
        else:
            yield await _on_rabbit(environment, stack)


async def _on_memory(environment: RunEnvironment, stack: AsyncExitStack) -> RunningSystem:
    opening = Database.open(
        environment.folder / "broker.sqlite",
        schema=memory_journal.SCHEMA,
        durability=environment.core.durability,
    )
    journal = await stack.enter_async_context(opening)
    confirms = environment.core.guards.confirms
    broker = await stack.enter_async_context(
        MemoryBroker.open(
            journal, _topology(environment), environment.core.clock, confirms=confirms
        )
    )
    wires = environment.soft_wires()
    system = await _choreographed(
        environment,
        stack,
        broker=broker,
        brokers={name: _unreliable(environment, broker, wire) for name, wire in wires.items()},
        services=environment.links(answers_return=False),
    )
    return RunningSystem(system=system, coordinator=broker, wires=wires)


async def _on_rabbit(environment: RunEnvironment, stack: AsyncExitStack) -> RunningSystem:
    url = environment.backends.broker
    address = urlsplit(url)
    wires: dict[str, TcpProxy] = {}
    if environment.cuttable:
        wires = await open_wires(
            stack,
            dict.fromkeys(
                environment.services, (address.hostname, address.port or _PORTS[address.scheme])
            ),
        )
    urls = {name: _through(url, wires[name]) if wires else url for name in environment.services}

    async def open_broker(at: str) -> RabbitBroker:
        opening = RabbitBroker.open(
            at,
            _topology(environment),
            durability=environment.core.durability,
            confirms=environment.core.guards.confirms,
        )
        return await stack.enter_async_context(opening)

    broker = await open_broker(url)
    brokers: dict[str, Broker] = {}
    services: Mapping[str, Service] = {}
    if not environment.processes:
        services = environment.links(answers_return=False)
        for name in environment.services if wires else ():
            brokers[name] = _unreliable(environment, await open_broker(urls[name]))
    system = await _choreographed(
        environment, stack, broker=broker, brokers=brokers, services=services
    )
    processes: Mapping[str, ParticipantProcess] = {}
    if environment.processes:
        # Opened last and so ended first: nobody listens when the queues are deleted.
        supervising = supervised(
            "choreography",
            environment.disk,
            arguments={name: [] for name in environment.services},
            environments={name: {AMQP_VARIABLE: urls[name]} for name in environment.services},
            policy=environment.restart,
        )
        processes = await stack.enter_async_context(supervising)
    node = environment.backends.node
    troubles = {
        name: partial(trouble, node) for name, trouble in TROUBLES.items() if node is not None
    }
    return RunningSystem(
        system=system, coordinator=node, wires=wires, processes=processes, troubles=troubles
    )


async def _choreographed(
    environment: RunEnvironment,
    stack: AsyncExitStack,
    *,
    broker: Broker,
    services: Mapping[str, Service],
    brokers: Mapping[str, Broker] = {},
) -> ChoreographedSystem:
    opening = ChoreographedSystem.open(
        participants=environment.participants,
        services=services,
        broker=_unreliable(environment, broker),
        brokers=brokers,
        environment=environment.core,
    )
    return await stack.enter_async_context(opening)


def _unreliable(
    environment: RunEnvironment, broker: Broker, wire: SoftWire | None = None
) -> UnreliableBroker:
    return UnreliableBroker(broker, environment.faults, environment.core, wire=wire)


def _topology(environment: RunEnvironment) -> Topology:
    return topology(prefix=environment.prefix, environment=environment.core)


def _through(url: str, wire: TcpProxy) -> str:
    """The same server by way of a wire that can be cut."""
    address = urlsplit(url)
    user, at, _ = address.netloc.rpartition("@")
    return address._replace(netloc=f"{user}{at}127.0.0.1:{wire.port}").geturl()


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
    native=native_account,
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
