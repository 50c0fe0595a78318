"""A choreography over a RabbitMQ server, its participants in this process or in processes of their own."""

import contextlib
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from urllib.parse import urlencode, urlsplit

from choreography.broker import Broker
from choreography.rabbit_broker import RabbitBroker
from choreography.rabbit_connection import AMQP_VARIABLE, SERVER_NAME
from choreography.rabbit_policies import policies_of_node, policies_of_server, takes_messages
from choreography.rabbit_topology import Queues
from choreography.rabbit_troubles import TROUBLES
from choreography.system import ChoreographedSystem
from kernel.errors import Failure, UsageError
from kernel.ports import Service
from scenarios.faults.tcp_proxy import TcpProxy
from scenarios.runs.environment import RunEnvironment, RunningSystem, open_wires
from scenarios.runs.processes import ParticipantProcess, supervised
from scenarios.styles.over_a_broker import choreographed, topology_of, unreliable

_PORTS = {"amqp": 5672, "amqps": 5671}


async def on_rabbitmq(environment: RunEnvironment, stack: AsyncExitStack) -> RunningSystem:
    """The running system; `stack` closes it."""
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
            topology_of(environment),
            durability=environment.core.durability,
            confirms=environment.core.guards.confirms,
        )
        return await stack.enter_async_context(opening)

    broker = await open_broker(url)
    node = environment.backends.node
    notes = [] if node is not None else await _policies(environment)
    for note in notes:
        logging.getLogger(__name__).warning(note)
    brokers: dict[str, Broker] = {}
    services: Mapping[str, Service] = {}
    if not environment.processes:
        services = environment.links(answers_return=False)
        for name in environment.services if wires else ():
            brokers[name] = unreliable(environment, await open_broker(urls[name]))
    system = await choreographed(
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
    troubles = {
        name: partial(trouble, node) for name, trouble in TROUBLES.items() if node is not None
    }
    return RunningSystem(
        system=system,
        coordinator=node,
        wires=wires,
        processes=processes,
        entrance={AMQP_VARIABLE: url},
        troubles=troubles,
        notes=notes,
        explain=partial(_explain, environment, system),
    )


async def _explain(environment: RunEnvironment, system: ChoreographedSystem) -> list[str]:
    """What has been taken from the run, and by which policies; nothing about a server that does not answer."""
    lines: list[str] = []
    for asking in (_policies(environment), system.lost()):
        with contextlib.suppress(Failure, UsageError):
            lines += await asking
    return lines


async def _policies(environment: RunEnvironment) -> list[str]:
    """The policies that can take messages out of the run's queues."""
    backends = environment.backends
    queues = Queues(topology_of(environment), durability=environment.core.durability).all()
    if backends.node is not None:
        return takes_messages(await policies_of_node(backends.node), queues)
    return takes_messages(await policies_of_server(backends.broker), queues)


def _through(url: str, wire: TcpProxy) -> str:
    """The same server by way of a wire that can be cut."""
    address = urlsplit(url)
    user, at, _ = address.netloc.rpartition("@")
    query = address.query
    if address.scheme == "amqps":
        name = urlencode({SERVER_NAME: address.hostname})
        query = f"{query}&{name}" if query else name
    return address._replace(netloc=f"{user}{at}127.0.0.1:{wire.port}", query=query).geturl()
