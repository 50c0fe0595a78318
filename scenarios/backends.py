"""The backends of a run: chosen by the user, opened here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from choreography.rabbit_connection import check_server
from choreography.rabbit_node import RabbitNode
from orchestration.step_functions import check_endpoint
from scenarios.setting import Backends


@asynccontextmanager
async def open_backends(broker: str, engine: str) -> AsyncIterator[Backends]:
    """The chosen backends; a private RabbitMQ node is started, and stopped at the end.

    `broker`: "memory", "rabbitmq" (a private node), or an AMQP URL. `engine`: "inprocess", "embedded", or a URL. Raise
    UsageError if a backend of the user's own does not answer.
    """
    if broker.startswith("amqp"):
        await check_server(broker)
    if engine.startswith("http"):
        await check_endpoint(engine)
    if broker == "rabbitmq":
        async with RabbitNode.open() as node:
            yield Backends(broker=node.url, node=node, engine=engine)
    else:
        yield Backends(broker=broker, engine=engine)
