"""What the unreliable network does to requests, answers and the messages between, in each style's terms."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import orjson
import pytest

from choreography.cloud_events import envelope, read
from kernel.clock import SystemClock
from kernel.errors import ConnectionLost, NotDelivered, UnreadableMessage
from kernel.messages import reply, to_bytes
from scenarios.faults.network import (
    Later,
    UnreliableBroker,
    UnreliableLink,
    corrupted,
    unreliable_function,
)
from scenarios.faults.plan import FaultPlan, Moment
from scenarios.faults.planned import PlannedFaults
from scenarios.faults.soft_wire import SoftWire
from shared_domain.order.messages import ChargePayment, PaymentCharged, ReserveStock, StockReserved
from shared_domain.order.saga import SAGA
from tests.samples import FAST, command, environment, order

CLOCK = SystemClock()


def _faults(moment, *, operation="ChargePayment", **more):
    line = {"orders": "all", "operation": operation, "moment": moment, **more}
    plan = FaultPlan.from_json({"schema": 1, "faults": [line]})
    return PlannedFaults(plan, ["o1"], saga=SAGA, seed=1, policy=FAST, clock=CLOCK)


class _Service:
    name = "payment"

    def __init__(self):
        self.calls = 0

    async def call(self, asked):
        self.calls += 1
        return reply(PaymentCharged, asked)


class _Broker:
    def __init__(self):
        self.published = []

    async def publish(self, message):
        self.published.append(message)


def _link(faults, *, answers_return=True, wire=None):
    service = _Service()
    link = UnreliableLink(service, faults, CLOCK, answers_return=answers_return, wire=wire)
    return service, link


def _broker(faults):
    inner = _Broker()
    return inner, UnreliableBroker(inner, faults, environment())


def _event(kind, asked):
    return envelope(reply(kind, asked), source="x", wall_s=1.0)


CHARGE = command(ChargePayment, order("o1"))
ASKS_FOR_IT = envelope(
    reply(StockReserved, command(ReserveStock, order("o1"))), source="x", wall_s=1
)
CHARGED = _event(PaymentCharged, CHARGE)


@pytest.mark.parametrize(
    ("moment", "calls", "error"),
    [
        (Moment.REQUEST_LOST, 0, NotDelivered),
        (Moment.REQUEST_DUPLICATED, 2, None),
        (Moment.REQUEST_DELAYED, 1, None),
        (Moment.ANSWER_LOST, 1, ConnectionLost),
        (Moment.ANSWER_DELAYED, 1, None),
    ],
)
async def test_a_link_loses_repeats_and_delays(moment, calls, error):
    faults = _faults(moment, for_s=0.1)
    service, link = _link(faults)
    if error:
        with pytest.raises(error):
            await link.call(CHARGE)
    else:
        await link.call(CHARGE)
    assert service.calls == calls
    assert [i.struck for i in faults.injections()] == [True]
    assert (await link.call(CHARGE)).name == "PaymentCharged", "only the first attempt was meant"


async def test_a_reordered_request_is_overtaken_by_the_next_one():
    service, link = _link(_faults(Moment.REQUEST_REORDERED, for_s=3600))
    first = asyncio.create_task(link.call(CHARGE))
    await asyncio.sleep(0.01)
    assert service.calls == 0
    await link.call(CHARGE)
    await asyncio.wait_for(first, 1)
    assert service.calls == 2


async def test_a_message_that_nothing_overtakes_arrives_late():
    later = Later()
    await asyncio.wait_for(later.overtaken("o1", at_most_s=0.01), 1)


async def test_an_answer_that_goes_through_a_broker_is_not_held_back_on_the_link():
    faults = _faults(Moment.ANSWER_DELAYED, for_s=3600)
    _, link = _link(faults, answers_return=False)
    await asyncio.wait_for(link.call(CHARGE), 1)
    assert [i.struck for i in faults.injections()] == [False]


@pytest.mark.parametrize("moment", [Moment.POISON, Moment.UNKNOWN_VERSION, Moment.OVERSIZED])
async def test_a_spoiled_request_cannot_be_read_in_either_style(moment):
    inner, broker = _broker(_faults(moment))
    await broker.publish(ASKS_FOR_IT)
    await broker.publish(CHARGED)
    with pytest.raises(UnreadableMessage):
        read(inner.published[0].body, SAGA.codec)
    assert read(inner.published[1].body, SAGA.codec).name == "PaymentCharged"

    async def function(payload):
        return payload

    payload = await unreliable_function(function, _faults(moment))(to_bytes(CHARGE))
    with pytest.raises(UnreadableMessage):
        SAGA.codec.from_bytes(payload)


async def test_an_oversized_answer_is_the_answer_and_nothing_else():
    inner, broker = _broker(_faults(Moment.OVERSIZED_ANSWER))
    await broker.publish(ASKS_FOR_IT)
    await broker.publish(CHARGED)
    sizes = [len(message.body) for message in inner.published]
    assert sizes[0] < 10_000 < 262_144 < sizes[1]
    assert orjson.loads(inner.published[1].body)["subject"] == "o1"


async def test_a_duplicated_answer_is_published_twice_under_one_name():
    inner, broker = _broker(_faults(Moment.ANSWER_DUPLICATED))
    await broker.publish(CHARGED)
    assert [message.message_id for message in inner.published] == ["o1:PaymentCharged"] * 2


async def test_a_forgotten_message_is_confirmed_and_gone_once():
    inner, broker = _broker(_faults(Moment.COORDINATOR_FORGOT))
    await broker.publish(ASKS_FOR_IT)
    assert inner.published == []
    await broker.publish(ASKS_FOR_IT)
    assert len(inner.published) == 1


async def test_a_wire_that_is_cut_lets_nothing_through_until_it_is_mended():
    wire = SoftWire()
    service, link = _link(_faults(Moment.SLOW), wire=wire)
    wire.cut()
    with pytest.raises(NotDelivered):
        await link.call(CHARGE)
    wire.mend()
    await link.call(CHARGE)
    assert service.calls == 1


class _Queue:
    """Of a broker that has one queue; counts its subscriptions."""

    def __init__(self):
        self.subscribed, self.waiting = 0, asyncio.Queue()

    @asynccontextmanager
    async def subscribe(self, queue):
        self.subscribed += 1

        async def deliveries():
            while True:
                yield await self.waiting.get()

        async with aclosing(deliveries()) as arriving:
            yield arriving


async def test_a_cut_that_is_mended_at_once_costs_the_subscription_and_no_delivery():
    wire, broker = SoftWire(), _Queue()
    async with wire.subscribe(broker, "payment") as arriving:
        following = asyncio.ensure_future(anext(arriving))
        while not broker.subscribed:
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
        wire.cut()
        await asyncio.sleep(0)
        wire.mend()
        await asyncio.sleep(0.01)
        broker.waiting.put_nowait("a delivery")
        assert await following == "a delivery"
    assert broker.subscribed == 2


def test_spoiling_keeps_nothing_that_could_be_taken_for_the_message():
    body = to_bytes(CHARGE)
    assert (
        len({corrupted(body, m) for m in (Moment.POISON, Moment.UNKNOWN_VERSION, Moment.OVERSIZED)})
        == 3
    )
