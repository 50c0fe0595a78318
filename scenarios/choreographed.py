"""How the choreography of a run is assembled over its backends, in one process or in several."""

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
from choreography.reactions import STEP_ORDERS
from choreography.service_host import serve_participant
from choreography.system import ChoreographedSystem, topology
from scenarios.part import Part
from scenarios.planned_faults import PlannedFaults
from scenarios.processes import ParticipantProcess, supervised
from scenarios.setting import Assembled, Setting, open_wires
from scenarios.soft_wire import SoftWire
from scenarios.tcp_proxy import TcpProxy
from scenarios.wire_faults import UnreliableBroker, UnreliableLink
from shared_domain.database import Database
from shared_domain.participant import Participant
from shared_domain.participants import NAMES
from shared_domain.ports import Clock, Service

_PORTS = {"amqp": 5672, "amqps": 5671}


@asynccontextmanager
async def choreography(setting: Setting) -> AsyncIterator[Assembled]:
    """Services that react to each other's events."""
    async with AsyncExitStack() as stack:
        if setting.backends.broker == "memory":
            yield await _on_memory(setting, stack)
        else:
            yield await _on_rabbit(setting, stack)


async def _on_memory(setting: Setting, stack: AsyncExitStack) -> Assembled:
    opening = Database.open(
        setting.folder / "broker.sqlite",
        schema=memory_journal.SCHEMA,
        durability=setting.durability,
    )
    journal = await stack.enter_async_context(opening)
    confirms = setting.guards.confirms
    broker = await stack.enter_async_context(
        MemoryBroker.open(journal, _topology(setting), setting.clock, confirms=confirms)
    )
    wires = setting.soft_wires()
    system = await _choreographed(
        setting,
        stack,
        broker=broker,
        brokers={name: _unreliable(setting, broker, wire) for name, wire in wires.items()},
        services=setting.services(answers_return=False),
    )
    return Assembled(system=system, coordinator=broker, wires=wires)


async def _on_rabbit(setting: Setting, stack: AsyncExitStack) -> Assembled:
    url = setting.backends.broker
    address = urlsplit(url)
    wires: dict[str, TcpProxy] = {}
    if setting.cuttable:
        wires = await open_wires(
            stack, dict.fromkeys(NAMES, (address.hostname, address.port or _PORTS[address.scheme]))
        )
    urls = {name: _through(url, wires[name]) if wires else url for name in NAMES}

    async def open_broker(at: str) -> RabbitBroker:
        opening = RabbitBroker.open(
            at,
            _topology(setting),
            durability=setting.durability,
            confirms=setting.guards.confirms,
        )
        return await stack.enter_async_context(opening)

    broker = await open_broker(url)
    brokers: dict[str, Broker] = {}
    services: Mapping[str, Service] = {}
    if not setting.processes:
        services = setting.services(answers_return=False)
        for name in NAMES if wires else ():
            brokers[name] = _unreliable(setting, await open_broker(urls[name]))
    system = await _choreographed(setting, stack, broker=broker, brokers=brokers, services=services)
    processes: Mapping[str, ParticipantProcess] = {}
    if setting.processes:
        # Opened last and so ended first: nobody listens when the queues are deleted.
        supervising = supervised(
            "choreography",
            setting.disk,
            arguments={name: [] for name in NAMES},
            environments={name: {AMQP_VARIABLE: urls[name]} for name in NAMES},
            policy=setting.restart,
        )
        processes = await stack.enter_async_context(supervising)
    node = setting.backends.node
    troubles = {
        name: partial(trouble, node) for name, trouble in TROUBLES.items() if node is not None
    }
    return Assembled(
        system=system, coordinator=node, wires=wires, processes=processes, troubles=troubles
    )


async def _choreographed(
    setting: Setting,
    stack: AsyncExitStack,
    *,
    broker: Broker,
    services: Mapping[str, Service],
    brokers: Mapping[str, Broker] = {},
) -> ChoreographedSystem:
    opening = ChoreographedSystem.open(
        participants=setting.participants,
        services=services,
        broker=_unreliable(setting, broker),
        brokers=brokers,
        step_order=setting.step_order,
        policy=setting.policy,
        guards=setting.guards,
        tracer=setting.tracer,
        clock=setting.clock,
    )
    return await stack.enter_async_context(opening)


def _unreliable(setting: Setting, broker: Broker, wire: SoftWire | None = None) -> UnreliableBroker:
    reactions = STEP_ORDERS[setting.step_order]
    return UnreliableBroker(broker, setting.faults, setting.clock, reactions=reactions, wire=wire)


def _topology(setting: Setting) -> Topology:
    return topology(prefix=setting.prefix, step_order=setting.step_order, policy=setting.policy)


def _through(url: str, wire: TcpProxy) -> str:
    """The same server by way of a wire that can be cut."""
    address = urlsplit(url)
    user, at, _ = address.netloc.rpartition("@")
    return address._replace(netloc=f"{user}{at}127.0.0.1:{wire.port}").geturl()


@asynccontextmanager
async def host(
    part: Part, door: Participant, faults: PlannedFaults, clock: Clock, port: int
) -> AsyncIterator[None]:
    """One participant in a process of its own, reacting to events while the context is open. `port` is not needed."""
    queues = topology(prefix=part.prefix, step_order=part.step_order, policy=part.policy)
    opening = RabbitBroker.open(
        os.environ[AMQP_VARIABLE],
        queues,
        durability=part.durability,
        confirms=part.guards.confirms,
    )
    async with opening as broker, asyncio.TaskGroup() as running:
        serving = serve_participant(
            door,
            service=UnreliableLink(door, faults, clock, answers_return=False),
            broker=UnreliableBroker(broker, faults, clock, reactions=STEP_ORDERS[part.step_order]),
            step_order=part.step_order,
            policy=part.policy,
            guards=part.guards,
            clock=clock,
        )
        task = running.create_task(serving)
        try:
            yield
        finally:
            task.cancel()
