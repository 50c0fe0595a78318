"""What every broker of the choreography has around it in a run."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from choreography.broker import Broker, Topology
from choreography.system import ChoreographedSystem, topology
from kernel.ports import Service
from scenarios.faults.network import UnreliableBroker
from scenarios.faults.soft_wire import SoftWire
from scenarios.runs.environment import RunEnvironment


async def choreographed(
    environment: RunEnvironment,
    stack: AsyncExitStack,
    *,
    broker: Broker,
    services: Mapping[str, Service],
    brokers: Mapping[str, Broker] = {},
) -> ChoreographedSystem:
    """The services over a broker behind an unreliable network."""
    opening = ChoreographedSystem.open(
        participants=environment.participants,
        services=services,
        broker=unreliable(environment, broker),
        brokers=brokers,
        environment=environment.core,
        keeps=environment.keeps,
    )
    return await stack.enter_async_context(opening)


def unreliable(
    environment: RunEnvironment, broker: Broker, wire: SoftWire | None = None
) -> UnreliableBroker:
    """The broker as seen over `wire`."""
    return UnreliableBroker(broker, environment.faults, environment.core, wire=wire)


def topology_of(environment: RunEnvironment) -> Topology:
    """The queues of a run."""
    return topology(prefix=environment.prefix, environment=environment.core)
