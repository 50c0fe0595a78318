"""What every Broker promises: the embedded one and RabbitMQ pass the same suite, restarts included."""

import asyncio
import random
import secrets
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from choreography import memory_journal
from choreography.broker import Attempt, Topology
from choreography.cloud_events import envelope
from choreography.memory_broker import MemoryBroker
from choreography.rabbit_broker import RabbitBroker
from choreography.rabbit_model.node import ModelNode
from kernel.clock import SystemClock
from kernel.database import Database
from kernel.errors import NotDelivered, OutcomeUnknown
from shared_domain.order.messages import OrderConfirmed, OrderPlaced, StockReserved
from tests.samples import ORDER, order


def _topology():
    return Topology(
        prefix=f"test.{secrets.token_hex(4)}",
        bindings={"inventory": ("OrderPlaced",), "payment": ("StockReserved", "OrderPlaced")},
        retry_delays_s=(0.05, 0.1),
        prefetch={"payment": 2},
    )


def _placed(order_id="o1"):
    return _said(OrderPlaced(order=order(order_id), caused_by=f"{order_id}:PlaceOrder"))


def _said(message):
    return envelope(message, source="test", wall_s=1.0)


def _failed(number, why="it did not answer"):
    return Attempt(number=number, fault=why, wall_s=float(number))


EMBEDDED = ["memory", "model", pytest.param("model-quorum", marks=pytest.mark.slow)]
REAL = ["rabbitmq", "rabbitmq-quorum"]
KINDS = [*EMBEDDED, *REAL]
SLOW = [*EMBEDDED, *(pytest.param(kind, marks=pytest.mark.slow) for kind in REAL)]
"""Kills of a real node take long."""


@pytest.fixture(params=KINDS)
def kind(request):
    """(kind of broker, RabbitMQ node or None)."""
    node = request.getfixturevalue("rabbit") if request.param in REAL else None
    return request.param, node


@pytest.fixture
async def backend(kind, tmp_path):
    """(broker, disturbance) over an empty topology."""
    name, node = kind
    async with AsyncExitStack() as stack:
        if name.startswith("model"):
            node = await stack.enter_async_context(ModelNode.open(chance=random.Random(1)))
        if node is None:
            database = await stack.enter_async_context(
                Database.open(tmp_path / "broker.sqlite", schema=memory_journal.SCHEMA)
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
    await broker.publish(_said(StockReserved(order=ORDER, caused_by="x")))
    async with _consumer(broker, "inventory") as inventory, _consumer(broker, "payment") as payment:
        one, two, three = await inventory(), await payment(), await payment()
        assert one.envelope == two.envelope == _placed()
        assert three.envelope.routing_key == "StockReserved"
        for delivery in (one, two, three):
            await delivery.ack()


async def test_a_subscription_ends_when_it_is_left_however_far_its_connection_has_come(backend):
    broker, _ = backend
    queue = next(iter(_topology().bindings))
    for milliseconds in range(0, 40, 2):
        async with asyncio.timeout(10):
            async with broker.subscribe(queue):
                await asyncio.sleep(milliseconds / 1000)


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
        assert (again.envelope.order_id, again.attempts, again.redelivered) == ("o2", (), True)
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
        first = await following()
        assert not first.redelivered
        await first.requeue()
        again = await following()
        assert (again.attempts, again.redelivered) == ((), True)
        await again.ack()


async def test_a_retry_comes_after_its_delay_as_the_next_attempt(backend):
    broker, _ = backend
    await broker.publish(_placed())
    async with _consumer(broker, "inventory") as following:
        clock, waits = asyncio.get_running_loop().time, []
        delivery = await following()
        for number in (1, 2):
            started = clock()
            await delivery.retry(_failed(number))
            delivery = await following()
            waits.append(clock() - started)
            assert delivery.attempts == tuple(_failed(n) for n in range(1, number + 1))
            assert delivery.envelope == _placed()
        await delivery.ack()
    assert waits[0] >= 0.045
    assert waits[1] >= 0.095


async def test_a_dead_letter_is_kept_with_its_reason_and_reading_it_leaves_it(backend):
    broker, _ = backend
    await broker.publish(_placed())
    async with _consumer(broker, "inventory") as following:
        await (await following()).retry(_failed(1))
        await (await following()).dead_letter("ReserveStock", "no hope", _failed(2, "dead"))
    ids = set()
    for _ in range(2):
        (letter,) = await broker.dead_letters()
        assert letter.envelope == _placed()
        assert (letter.queue, letter.operation) == ("inventory", "ReserveStock")
        assert (letter.reason, letter.fault) == ("no hope", "dead")
        assert letter.attempts == (_failed(1), _failed(2, "dead"))
        ids.add(letter.letter_id)
    assert len(ids) == 1


async def _park(broker, *order_ids):
    for order_id in order_ids:
        await broker.publish(_placed(order_id))
    async with _consumer(broker, "inventory") as following:
        for _ in order_ids:
            await (await following()).dead_letter("ReserveStock", "no hope", _failed(1))


async def test_a_redriven_letter_comes_to_its_service_alone_with_a_fresh_budget(backend):
    broker, _ = backend
    await _park(broker, "o1", "o2")
    sent = await broker.redrive(lambda letter: letter.envelope.order_id == "o2")
    assert [letter.envelope.order_id for letter in sent] == ["o2"]
    async with _consumer(broker, "inventory") as following:
        again = await following()
        assert (again.envelope, again.attempts, again.redriven) == (_placed("o2"), (), True)
        await again.ack()
    assert [d.envelope.order_id for d in await broker.dead_letters()] == ["o1"]
    async with _consumer(broker, "payment") as following:
        for order_id in ("o1", "o2"):  # each once: a redriven letter is no new event
            delivery = await following()
            assert (delivery.envelope.order_id, delivery.redriven) == (order_id, False)
            await delivery.ack()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await following()


async def test_a_discarded_letter_is_gone_and_the_others_stay(backend):
    broker, _ = backend
    await _park(broker, "o1", "o2")
    (gone,) = await broker.discard(lambda letter: letter.envelope.order_id == "o1")
    assert gone.envelope.order_id == "o1"
    assert [d.envelope.order_id for d in await broker.dead_letters()] == ["o2"]


async def test_of_two_operators_at_once_only_one_moves_a_letter(backend):
    broker, _ = backend
    await _park(broker, "o1")
    moved = await asyncio.gather(
        broker.redrive(lambda letter: True), broker.discard(lambda letter: True)
    )
    assert sum(map(len, moved)) == 1


async def test_what_nobody_is_meant_to_hear_is_published_and_audited(backend):
    broker, _ = backend
    ended = _said(OrderConfirmed(order=ORDER, caused_by="x"))
    await broker.publish(ended)
    assert await broker.audit() == [ended]


async def test_nobody_holds_more_than_the_prefetch_of_its_queue(backend):
    broker, _ = backend
    for n in range(5):
        await broker.publish(_placed(f"o{n}"))
    async with _consumer(broker, "payment") as following:
        held = [await following() for _ in range(2)]
        third = asyncio.ensure_future(following())
        done, _ = await asyncio.wait({third}, timeout=0.3)
        assert not done
        await held[1].ack()
        assert (await third).envelope.order_id == "o2"


async def test_every_message_is_in_the_audit(backend):
    broker, _ = backend
    for n in range(5):
        await broker.publish(_placed(f"o{n}"))
    assert await broker.audit() == [_placed(f"o{n}") for n in range(5)]


@pytest.mark.parametrize("kind", SLOW, indirect=True)
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


@pytest.mark.parametrize("kind", SLOW, indirect=True)
async def test_a_retry_that_waits_survives_the_death_of_the_broker(backend):
    broker, coordinator = backend
    await asyncio.sleep(1.0)
    await broker.publish(_placed())
    async with _consumer(broker, "inventory") as following:
        await (await following()).retry(_failed(1))
        await coordinator.kill()
        await coordinator.restart()
        # An ack that died with the broker brings the first attempt back too: at least once.
        while not (again := await following()).attempts:
            await again.ack()
        assert again.envelope == _placed()
        await again.ack()
