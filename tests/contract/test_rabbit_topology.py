"""Queues of runs that share a server: declared twice, clashing, unbound, parked for ever, swept."""

import asyncio
import secrets
from contextlib import asynccontextmanager

import pytest
from aio_pika import Message

from choreography.broker import Attempt, Topology
from choreography.cloud_events import CONTENT_TYPE, envelope
from choreography.rabbit_broker import RabbitBroker
from choreography.rabbit_connection import connect
from choreography.rabbit_publisher import Publisher
from choreography.rabbit_topology import find, sweep
from kernel.errors import NotDelivered, UsageError
from shared_domain.order.messages import OrderPlaced
from shared_domain.order.saga import SAGA
from tests.samples import order

NAMES = SAGA.services

FAILED = Attempt(number=1, fault="no", wall_s=1.0)


def _topology(prefix=None, **changes):
    given = {
        "prefix": prefix or f"test.{secrets.token_hex(4)}",
        "bindings": {"inventory": ("OrderPlaced",)},
        "retry_delays_s": (0.05,),
    }
    return Topology(**given | changes)


def _placed(order_id="o1"):
    placed = OrderPlaced(order=order(order_id), caused_by=f"{order_id}:PlaceOrder")
    return envelope(placed, source="test", wall_s=1.0)


@asynccontextmanager
async def _channel(node):
    connection = await connect(node.url)
    try:
        async with connection.channel() as channel:
            yield channel
    finally:
        await connection.close()


@asynccontextmanager
async def _connected(node):
    connection = await connect(node.url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_declaring_twice_is_harmless_and_two_prefixes_do_not_meet(rabbit):
    one, two = _topology(), _topology()
    async with (
        RabbitBroker.open(rabbit.url, one) as first,
        RabbitBroker.open(rabbit.url, one) as again,
        RabbitBroker.open(rabbit.url, two) as other,
    ):
        await first.publish(_placed())
        assert await again.waiting() == 1
        assert await other.waiting() == 0
        await first.aclose()
        await other.publish(_placed())
        assert await other.waiting() == 1
        await other.aclose()


@pytest.mark.parametrize("clash", ["power", "other delays"])
async def test_a_clash_with_other_arguments_names_the_queue_and_the_command_that_mends_it(
    rabbit, clash
):
    topology = _topology()
    async with RabbitBroker.open(rabbit.url, topology) as broker:
        other, durability = topology, "power"
        if clash == "other delays":
            other, durability = _topology(topology.prefix, retry_delays_s=(9.0,)), "process"
        with pytest.raises(UsageError) as refused:
            async with RabbitBroker.open(rabbit.url, other, durability=durability):
                pass
        assert topology.prefix in str(refused.value)
        assert f"saga broker sweep --prefix {topology.prefix}" in str(refused.value)
        await broker.publish(_placed())  # and the first run goes on
    # It is closed by now: a run that is swept while it lives declares its queues again.
    async with _connected(rabbit) as connection:
        await sweep(connection, topology.prefix, NAMES)
    async with RabbitBroker.open(rabbit.url, other, durability=durability) as mended:
        await mended.aclose()


async def test_an_event_that_no_queue_takes_is_an_error_although_the_audit_has_it(rabbit):
    topology = _topology()
    async with RabbitBroker.open(rabbit.url, topology) as broker:
        async with _channel(rabbit) as channel:
            queue = await channel.get_queue(f"{topology.prefix}.inventory", ensure=False)
            await queue.unbind(f"{topology.prefix}.events", "OrderPlaced")
        with pytest.raises(NotDelivered, match="no queue"):
            await broker.publish(_placed())
        assert await broker.audit() == [_placed()]
        async with RabbitBroker.open(rabbit.url, topology):  # declares and binds again
            await broker.publish(_placed())
        assert await broker.waiting() == 1
        await broker.aclose()


async def test_no_expiry_deletes_a_parked_message(rabbit):
    """Not even one that the message itself came with."""
    topology = _topology()
    async with RabbitBroker.open(rabbit.url, topology) as broker:
        async with _channel(rabbit) as channel:
            short_lived = Message(_placed().body, content_type=CONTENT_TYPE, expiration=0.5)
            await channel.default_exchange.publish(short_lived, f"{topology.prefix}.inventory")
        async with broker.subscribe("inventory") as deliveries:
            async with asyncio.timeout(10):
                await (await anext(deliveries)).dead_letter("", "unreadable", FAILED)
        await asyncio.sleep(1.0)
        assert [letter.reason for letter in await broker.dead_letters()] == ["unreadable"]
        async with _connected(rabbit) as connection:
            (dead,) = [
                q
                for q in await find(connection, topology.prefix, NAMES)
                if q.name.endswith(".dead") and q.messages
            ]
            assert dead.messages == 1
        await broker.aclose()


async def test_a_sweep_removes_what_a_dead_run_left_and_spares_a_living_one(rabbit):
    topology = _topology()
    async with _connected(rabbit) as connection:
        async with RabbitBroker.open(rabbit.url, topology) as broker:
            await broker.publish(_placed())
            async with broker.subscribe("inventory") as deliveries:
                async with asyncio.timeout(10):
                    await anext(deliveries)
                with pytest.raises(UsageError, match="alive"):
                    await sweep(connection, topology.prefix, NAMES)
                assert await broker.waiting() in (0, 1)
        left = await find(connection, topology.prefix, NAMES)
        assert {queue.name.removeprefix(topology.prefix) for queue in left} == {
            ".audit", ".inventory", ".inventory.dead", ".inventory.retry.1",
        }  # fmt: skip
        swept = await sweep(connection, topology.prefix, NAMES)
        assert {queue.name for queue in swept} == {queue.name for queue in left}
        assert await find(connection, topology.prefix, NAMES) == []


async def test_closing_a_run_removes_everything_it_made(rabbit):
    topology = _topology()
    async with RabbitBroker.open(rabbit.url, topology) as broker:
        await broker.publish(_placed())
        await broker.aclose()
    async with _connected(rabbit) as connection:
        assert await find(connection, topology.prefix, NAMES) == []


MANY = 60


async def test_what_is_published_in_one_turn_leaves_in_one_turn(rabbit):
    """aiormq as it comes lets one publish a turn go once ten have been waiting, and nothing shares a commit any more."""
    async with _connected(rabbit) as connection, _channel(rabbit) as channel:
        queue = await channel.declare_queue(exclusive=True)
        publisher = await Publisher.open(connection, confirms=True)
        publishing = [
            asyncio.create_task(
                publisher.publish_plain(b"{}", content_type="text/plain", queue=queue.name)
            )
            for _ in range(MANY)
        ]
        for _ in range(2):
            await asyncio.sleep(0)
        handed_over = connection.transport.connection.channels[1].delivery_tag
        assert handed_over == MANY
        await asyncio.gather(*publishing)


async def test_more_than_three_deliveries_can_come_in_one_turn(rabbit):
    async with RabbitBroker.open(rabbit.url, _topology()) as broker:
        for i in range(MANY):
            await broker.publish(_placed(f"o{i}"))
        turns, in_turn = [], []

        async def count():
            while True:
                turns.append(len(in_turn))
                in_turn.clear()
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        async with broker.subscribe("inventory") as deliveries:
            for _ in range(MANY):
                in_turn.append(await anext(deliveries))
                await in_turn[-1].ack()
        counting.cancel()
        assert max(turns) > 10
