"""What a real RabbitMQ node can do to a running choreography: consumers come back by themselves, nothing is lost."""

import asyncio

import pytest

from choreography.rabbit_connection import connect
from choreography.rabbit_troubles import TROUBLES
from tests.integration.shop import open_shop

pytestmark = [pytest.mark.timeout(120)]


@pytest.fixture
async def shop(rabbit, tmp_path):
    async with open_shop(rabbit, tmp_path) as (opened, _):
        yield opened


@pytest.mark.slow
async def test_a_node_that_is_killed_and_restarted_loses_no_order(shop):
    await shop.place(20)
    async with asyncio.TaskGroup() as customers:
        customers.create_task(shop.place(20))
        await shop.node.kill()
        await shop.node.restart()
    await shop.place(5)
    await shop.all_confirmed()


@pytest.mark.slow
async def test_a_node_that_stands_still_delays_orders_and_loses_none(shop):
    await shop.place(20)
    shop.node.freeze()
    await asyncio.sleep(0.3)
    before = await shop.effects("order")
    late = asyncio.create_task(shop.place(5))
    await asyncio.sleep(2)
    assert not late.done(), "a broker that stands still has accepted an order"
    assert len(await shop.effects("order")) <= len(before) + 20, "orders went on without a broker"
    shop.node.thaw()
    await late
    await shop.all_confirmed()


async def test_a_participant_that_is_cut_off_holds_up_its_own_step_only(rabbit, tmp_path):
    async with open_shop(rabbit, tmp_path, cuttable=True) as (shop, _):
        await shop.place(5)
        await shop.all_confirmed()
        shop.running_system.wires["payment"].cut()
        await asyncio.sleep(0.2)
        charged = len(await shop.effects("payment"))
        await shop.place(10)
        async with asyncio.timeout(10):
            while len(await shop.effects("inventory")) < 15:
                await asyncio.sleep(0.05)
        assert len(await shop.effects("payment")) == charged
        shop.running_system.wires["payment"].mend()
        await shop.all_confirmed()


@pytest.mark.slow
@pytest.mark.parametrize("name", TROUBLES)
async def test_orders_go_on_after_the_broker_has_turned_on_its_clients(shop, name):
    await shop.place(10)
    async with TROUBLES[name](shop.node) as lasts:
        placing = asyncio.create_task(shop.place(10))
        await asyncio.sleep(2.0)
        if lasts:
            assert not placing.done(), "publishers were not blocked"
    await placing
    await shop.place(5)
    await shop.all_confirmed()


async def test_a_queue_that_somebody_deleted_is_declared_again_and_its_events_wait_in_the_outbox(
    rabbit, tmp_path
):
    async with open_shop(rabbit, tmp_path) as (shop, setting):
        await shop.place(3)
        await shop.all_confirmed()
        connection = await connect(rabbit.url)
        async with connection.channel() as channel:
            await channel.queue_delete(f"{setting.prefix}.payment")
        await connection.close()
        await shop.place(10)
        await shop.all_confirmed()


async def test_what_cannot_be_read_is_parked_and_holds_nobody_up(rabbit, tmp_path):
    async with open_shop(rabbit, tmp_path) as (shop, setting):
        connection = await connect(rabbit.url)
        async with connection.channel() as channel:
            raw = await channel.get_underlay_channel()
            for body in (
                b"\xff\xfe not json",
                b'{"specversion": "1.0", "type": "saga.OrderPlaced.v2"}',
            ):
                await raw.basic_publish(body, routing_key=f"{setting.prefix}.payment")
        await connection.close()
        await shop.place(5)
        await shop.all_confirmed()
        parked = await shop.system.parked()
        assert sorted(saga.why.partition(": ")[0] for saga in parked) == ["unreadable"] * 2
        assert any("unknown type or version 'saga.OrderPlaced.v2'" in saga.why for saga in parked)
        for saga in parked:
            assert (await shop.system.show(saga.parked_id))["queue"] == "payment"
