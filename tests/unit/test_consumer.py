"""What a consumer does with a message that it cannot handle, when things go wrong a second time."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from choreography import memory_journal
from choreography.broker import MAX_REDELIVERIES
from choreography.cloud_events import envelope
from choreography.consumer import Consumer
from choreography.memory_broker import MemoryBroker, _Delivery
from choreography.system import topology
from kernel.database import Database
from kernel.errors import NotDelivered, OutcomeUnknown
from kernel.participants import open_participant
from kernel.policy import Policy
from shared_domain.order.messages import ShipmentCancelled, ShipmentRefused, StockReserved
from tests.samples import ORDER, environment

POLICY = Policy(time_scale=0.001)


class _Broken:
    """A payment service that fails before it looks at anything, until it is repaired."""

    name = "payment"

    def __init__(self, participant, error):
        self._door, self.error, self.calls = participant, error, 0
        self.lag = 0
        """Turns of the event loop by which every second call is late."""

    async def call(self, command):
        self.calls += 1
        for _ in range(self.lag * (self.calls % 2)):
            await asyncio.sleep(0)
        if self.error:
            raise self.error(command.name)
        return await self._door.call(command)


@asynccontextmanager
async def _payment(tmp_path, error):
    around = environment(policy=POLICY)
    queues = topology(prefix="x", environment=around)
    async with (
        Database.open(tmp_path / "broker.sqlite", schema=memory_journal.SCHEMA) as journal,
        MemoryBroker.open(journal, queues, around.clock) as broker,
        open_participant("payment", tmp_path / "payment.sqlite", around) as participant,
    ):
        service = _Broken(participant, error)
        consumer = Consumer(participant, service=service, broker=broker, environment=around)
        consuming = asyncio.create_task(consumer.run())
        try:
            yield broker, participant, service
        finally:
            consuming.cancel()
            await asyncio.wait([consuming])


async def _say(broker, kind):
    event = kind(order=ORDER, caused_by="o1:x")
    await broker.publish(envelope(event, source="test", wall_s=1.0))


async def _nothing_waits(broker):
    async with asyncio.timeout(10):
        while await broker.waiting():
            await asyncio.sleep(0.005)


async def test_a_second_chain_does_not_give_a_parked_saga_a_second_dead_letter(tmp_path):
    """The saga deadline leads to the same refund by another event; the refund fails before it learns anything."""
    async with _payment(tmp_path, OutcomeUnknown) as (broker, _, service):
        await _say(broker, ShipmentRefused)
        await _nothing_waits(broker)
        tried = service.calls
        await _say(broker, ShipmentCancelled)
        await _nothing_waits(broker)
        assert tried == POLICY.max_retries + 1
        assert service.calls == tried + 1
        (letter,) = await broker.dead_letters()
        assert letter.envelope.message_id == "o1:ShipmentRefused"


@pytest.mark.parametrize("lag", range(8))
async def test_two_copies_of_a_message_that_are_given_up_at_once_get_one_dead_letter(tmp_path, lag):
    """A retry whose confirm was lost with the broker is there twice."""
    async with _payment(tmp_path, OutcomeUnknown) as (broker, _, service):
        service.lag = lag
        await asyncio.gather(_say(broker, ShipmentRefused), _say(broker, ShipmentRefused))
        await _nothing_waits(broker)
        assert len(await broker.dead_letters()) == 1


async def test_a_dead_letter_that_the_broker_did_not_take_is_sent_again(tmp_path, monkeypatch):
    refused, keep = [NotDelivered("the broker is away")], _Delivery.dead_letter
    async with _payment(tmp_path, OutcomeUnknown) as (broker, _, service):

        async def away(self, *arguments):
            if refused:
                service.error = None  # the next call learns that it is parked, and must tell
                raise refused.pop()
            await keep(self, *arguments)

        monkeypatch.setattr(_Delivery, "dead_letter", away)
        await _say(broker, ShipmentRefused)
        await _nothing_waits(broker)
        (letter,) = await broker.dead_letters()
        assert letter.operation == "RefundPayment"
        assert not refused


@pytest.mark.parametrize(("kind", "end"), [(StockReserved, "PaymentFailed"), (ShipmentRefused, "")])
async def test_a_message_that_comes_back_too_often_is_given_up(tmp_path, kind, end):
    async with _payment(tmp_path, NotDelivered) as (broker, participant, service):
        await _say(broker, kind)
        await _nothing_waits(broker)
        assert service.calls == MAX_REDELIVERIES + 1
        answers = await participant.database.read(lambda tx: tx.all("SELECT answer FROM ledger"))
        letters = await broker.dead_letters()
        if end:
            assert [row["answer"] for row in answers] == [end]
            assert letters == []
        else:
            assert answers == []
            assert [letter.reason for letter in letters] == ["redelivered too often"]


async def test_a_redriven_message_is_handled_once_and_sleeps_no_more(tmp_path):
    async with _payment(tmp_path, OutcomeUnknown) as (broker, participant, service):
        await _say(broker, ShipmentRefused)
        await _nothing_waits(broker)
        service.error = None
        assert len(await broker.redrive(lambda letter: True)) == 1
        await _nothing_waits(broker)
        assert await broker.dead_letters() == []
        answers = await participant.database.read(lambda tx: tx.all("SELECT answer FROM ledger"))
        assert [row["answer"] for row in answers] == ["PaymentRefunded"]
        assert await participant.database.read(lambda tx: tx.all("SELECT * FROM parked")) == []
