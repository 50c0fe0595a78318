"""What a caller of the RabbitMQ adapter sees of a connection that is lost at an unlucky moment: never silence, never a surprise."""

import asyncio

import pytest
from pamqp import commands as spec

from choreography.broker import Topology
from choreography.rabbit_connection import LOST, close, connect
from choreography.rabbit_model.node import ModelNode
from choreography.rabbit_model.session import Session
from choreography.rabbit_publisher import Publisher
from choreography.rabbit_topology import Queues
from kernel.errors import NotDelivered

SOON_S = 5.0
QUEUES = Queues(
    Topology(prefix="saga.test", bindings={"one": ("A",)}, retry_delays_s=(0.1,)),
    durability="process",
)


@pytest.fixture
async def node():
    async with ModelNode.open() as node:
        yield node


async def _lost(opening):
    """Wait for the loss, and no longer than SOON_S."""
    async with asyncio.timeout(SOON_S):
        with pytest.raises(LOST) as seen:
            await opening
    assert not isinstance(seen.value, TimeoutError)


@pytest.mark.parametrize(
    "reason", [None, asyncio.CancelledError()], ids=["the stream ended", "no heartbeat"]
)
async def test_whoever_waits_for_an_answer_sees_a_lost_connection(node, monkeypatch, reason):
    answer = Session._of_channel

    def never_declare(self, number, frame):
        if not isinstance(frame, spec.Queue.Declare):
            answer(self, number, frame)

    monkeypatch.setattr(Session, "_of_channel", never_declare)
    connection = await connect(node.url)
    declaring = asyncio.ensure_future(QUEUES.declare(connection))
    await asyncio.sleep(0.05)
    await connection.transport.connection.close(reason)  # as aiormq does when its reader has ended
    await _lost(declaring)
    await close(connection)


async def test_a_channel_that_is_closed_during_a_declaration_is_no_clash_of_arguments(
    node, monkeypatch
):
    answer = Session._of_channel

    def close_instead(self, number, frame):
        if isinstance(frame, spec.Queue.Declare):
            self.close_channel("closed for a test")
        else:
            answer(self, number, frame)

    monkeypatch.setattr(Session, "_of_channel", close_instead)
    connection = await connect(node.url)
    await _lost(QUEUES.declare(connection))
    await close(connection)


async def test_a_publisher_that_is_blocked_says_that_nothing_was_sent(node):
    connection = await connect(node.url)
    publisher = await Publisher.open(connection, confirms=True)
    (session,) = node.sessions
    session.block()
    await asyncio.sleep(0.05)
    publishing = asyncio.ensure_future(
        publisher.publish_plain(b"x", content_type="text/plain", queue="q")
    )
    await asyncio.sleep(0.05)
    session.abort()
    with pytest.raises(NotDelivered):
        await publishing
    await close(connection)


async def test_a_connection_that_is_lost_while_the_broker_blocks_it_is_not_waited_for(node):
    connection = await connect(node.url)
    (session,) = node.sessions
    session.block()
    await asyncio.sleep(0.05)
    declaring = asyncio.ensure_future(QUEUES.declare(connection))
    await asyncio.sleep(0.05)
    assert not declaring.done()
    session.abort()
    await _lost(declaring)
    await close(connection)


async def test_a_blocked_connection_goes_on_once_it_is_not(node):
    connection = await connect(node.url)
    (session,) = node.sessions
    session.block()
    await asyncio.sleep(0.05)
    declaring = asyncio.ensure_future(QUEUES.declare(connection))
    await asyncio.sleep(0.05)
    session.unblock()
    async with asyncio.timeout(SOON_S):
        await declaring
    await close(connection)
