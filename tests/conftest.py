"""What the tests share: a RabbitMQ node for the whole session, and systems in a temporary folder."""

import os
import signal
from collections.abc import AsyncIterator

import pytest

from choreography.rabbit_node import RabbitNode, find_server
from kernel.event_loop import freeze_gc

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Whoever started this in the background; programs under test must hear Ctrl-C all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
REQUIRED = os.environ.get("SAGA_REQUIRE_RABBITMQ") == "1"


def pytest_collection_finish() -> None:
    """As the programs do: a full collection here takes longer than the scaled deadlines of sagas under test."""
    freeze_gc()


@pytest.fixture(scope="session")
async def rabbit() -> AsyncIterator[RabbitNode]:
    """A private RabbitMQ node; its tests are skipped where RabbitMQ is not installed, unless required."""
    if find_server() is None and not REQUIRED:
        pytest.skip("rabbitmq-server is not installed")
    async with RabbitNode.open() as node:
        yield node
