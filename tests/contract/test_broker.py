"""What every Broker promises: the embedded one and RabbitMQ pass the same suite, restarts included."""

import asyncio
import secrets
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from choreography import memory_broker
from choreography.broker import Topology, envelope
from choreography.memory_broker import MemoryBroker
from choreography.rabbit_broker import RabbitBroker
from shared_domain.clock import SystemClock
from shared_domain.database import Database
from shared_domain.errors import NotDelivered, OutcomeUnknown
from shared_domain.messages import OrderPlaced, StockReserved
from tests.samples import ORDER, order


def _topology():
    return Topology(
        prefix=f"test.{secrets.token_hex(4)}",
        bindings={"inventory": ("OrderPlaced",), "payment": ("StockReserved", "OrderPlaced")},
        retry_delays_s=(0.05, 0.1),
    )


def _placed(order_id="o1"):
    return envelope(OrderPlaced(order=order(order_id), caused_by=f"{order_id}:PlaceOrder"))


KINDS = ["memory", "rabbitmq", "rabbitmq-quorum"]
LONG = [pytest.param(kind, marks=pytest.mark.long) for kind in KINDS]
"""Kills of a node take long: some of them in make long only."""


@pytest.fixture(params=KINDS)
def kind(request):
    """(kind of broker, RabbitMQ node or None)."""
    node = None if request.param == "memory" else request.getfixturevalue("rabbit")
    return request.param, node


@pytest.fixture
async def backend(kind, tmp_path):
    """(broker, disturbance) over an empty topology."""
    name, node = kind
    async with AsyncExitStack() as stack:
        if node is None:
            database = await stack.enter_async_context(
                Database.open(tmp_path / "broker.sqlite", schema=memory_broker.SCHEMA)
            )
            broker = await stack.enter_async_context(
                MemoryBroker.open(database, _topology(), SystemClock())
            )
            yield broker, broker
        else:
            durability = "power" if name.endswith("quorum") else "process"
            broker = await stack.enter_async_context(
                RabbitBroker.open(node.url, _topology(), durability=durability)
            )
            yield broker, node
        await broker.aclose()


@asynccontextmanager
async def _consumer(broker, queue):
    async with broker.subscribe(queue) as deliveries:

        async def following():
            async with asyncio.timeout(20):
                return await anext(deliveries)

        yield following


async def test_a_message_reaches_every_queue_that_is_bound_to_it_and_no_other(backend):
    broker, _ = backend
    await broker.publish(_placed())
    await broker.publish(envelope(StockReserved(order=ORDER, caused_by="x")))
    async with _consumer(broker, "inventory") as inventory, _consumer(broker, "payment") as payment:
        one, two, three = await inventory(), await payment(), await payment()
        assert one.envelope == two.envelope == _placed()
        assert three.envelope.routing_key == "StockReserved"
        for delivery in (one, two, three):
            await delivery.ack()


async def test_what_was_published_before_anyone_listened_is_kept(backend):
    broker, _ = backend
    for n in range(20):
        await broker.publish(_placed(f"o{n}"))
    async with _consumer(broker, "inventory") as following:
        seen = [await following() for _ in range(20)]
        for delivery in seen:
            await delivery.ack()
    assert [d.envelope.order_id for d in seen] == [f"o{n}" for n in range(20)]


async def test_what_a_consumer_held_when_it_went_away_is_delivered_again(backend):
    broker, _ = backend
    await broker.publish(_placed("o1"))
    await broker.publish(_placed("o2"))
    async with _consumer(broker, "inventory") as following:
        await (await following()).ack()
        await following()
    async with _consumer(broker, "inventory") as following:
        again = await following()
        assert (again.envelope.order_id, again.attempt) == ("o2", 1)
        await again.ack()


async def test_two_consumers_share_the_messages(backend):
    broker, _ = backend
    seen = []

    async def read(following):
        while True:
            delivery = await following()
            seen.append(delivery.envelope.order_id)
            await delivery.ack()

    async with _consumer(broker, "inventory") as first, _consumer(broker, "inventory") as second:
        readers = [asyncio.create_task(read(following)) for following in (first, second)]
        for n in range(30):
            await broker.publish(_placed(f"o{n}"))
        async with asyncio.timeout(20):
            while len(seen) < 30:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        for reader in readers:
            reader.cancel()
    assert sorted(seen) == sorted(f"o{n}" for n in range(30))


async def test_a_requeued_message_comes_again_at_once_as_the_same_attempt(backend):
    broker, _ = backend
    await broker.publish(_placed())
    async with _consumer(broker, "inventory") as following:
        await (await following()).requeue()
        again = await following()
        assert again.attempt == 1
        await again.ack()


async def test_a_retry_comes_after_its_delay_as_the_next_attempt(backend):
    broker, _ = backend
    await broker.publish(_placed())
    async with _consumer(broker, "inventory") as following:
        clock, waits = asyncio.get_running_loop().time, []
        delivery = await following()
        for attempt in (2, 3):
            started = clock()
            await delivery.retry()
            delivery = await following()
            waits.append(clock() - started)
            assert delivery.attempt == attempt
            assert delivery.envelope == _placed()
        await delivery.ack()
    assert waits[0] >= 0.045
    assert waits[1] >= 0.095


async def test_a_dead_letter_is_kept_with_its_reason_and_reading_it_leaves_it(backend):
    broker, _ = backend
    await broker.publish(_placed())
    async with _consumer(broker, "inventory") as following:
        await (await following()).dead_letter("ReserveStock", "no hope")
    for _ in range(2):
        (letter,) = await broker.dead_letters()
        assert letter.envelope == _placed()
        assert (letter.queue, letter.operation, letter.reason) == (
            "inventory",
            "ReserveStock",
            "no hope",
        )


async def test_every_message_is_in_the_audit(backend):
    broker, _ = backend
    for n in range(5):
        await broker.publish(_placed(f"o{n}"))
    assert [e.order_id for e in await broker.audit()] == [f"o{n}" for n in range(5)]


@pytest.mark.parametrize("kind", [*KINDS[:2], LONG[2]], indirect=True)
async def test_nothing_confirmed_and_nothing_unacked_is_lost_when_the_broker_is_killed(backend):
    broker, coordinator = backend
    await asyncio.sleep(
        1.0
    )  # a quorum queue killed within half a second of its birth never recovers
    confirmed, seen = set(), set()
    for n in range(40):
        await broker.publish(_placed(f"o{n}"))
        confirmed.add(f"o{n}")
    async with _consumer(broker, "inventory") as following:
        for _ in range(10):
            delivery = await following()
            await delivery.ack()
            seen.add(delivery.envelope.order_id)
        held = await following()
        await coordinator.kill()
        with pytest.raises((NotDelivered, OutcomeUnknown)):
            await broker.publish(_placed("late"))
        await coordinator.restart()
        await held.ack()
        while not confirmed <= seen:
            delivery = await following()
            seen.add(delivery.envelope.order_id)
            await delivery.ack()


@pytest.mark.parametrize("kind", [KINDS[0], *LONG[1:]], indirect=True)
async def test_a_retry_that_waits_survives_the_death_of_the_broker(backend):
    broker, coordinator = backend
    await asyncio.sleep(1.0)
    await broker.publish(_placed())
    async with _consumer(broker, "inventory") as following:
        await (await following()).retry()
        await coordinator.kill()
        await coordinator.restart()
        # An ack that died with the broker brings the first attempt back too: at least once.
        while (again := await following()).attempt != 2:
            await again.ack()
        assert again.envelope == _placed()
        await again.ack()
