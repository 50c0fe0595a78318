"""The backends of a run: chosen by the user, opened here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from choreography.rabbit_node import RabbitNode
from scenarios.runs.environment import Backends


@asynccontextmanager
async def open_backends(broker: str, engine: str) -> AsyncIterator[Backends]:
    """The chosen backends; a private RabbitMQ node is started, and stopped at the end.

    `broker`: "memory", "rabbitmq" (a private node), or an AMQP URL. `engine`: "inprocess", "embedded", or a URL.
    """
    if broker == "rabbitmq":
        async with RabbitNode.open() as node:
            yield Backends(broker=node.url, node=node, engine=engine)
    else:
        yield Backends(broker=broker, engine=engine)
