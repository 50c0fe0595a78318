"""What a real RabbitMQ node can do to a running choreography: consumers come back by themselves, nothing is lost."""

import asyncio
import secrets
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from choreography.rabbit_connection import connect
from choreography.rabbit_troubles import TROUBLES
from kernel.clock import SystemClock
from kernel.errors import Failure
from kernel.policy import Policy
from scenarios.faults.plan import FaultPlan
from scenarios.faults.planned import PlannedFaults
from scenarios.runs.environment import Backends, RunEnvironment
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA
from tests.samples import environment, order

pytestmark = [pytest.mark.timeout(120)]
POLICY = Policy(time_scale=0.5)
"""A saga deadline of 30 s: longer than any of the troubles here."""


class _Shop:
    """A choreography on a real node, and customers who do not give up."""

    def __init__(self, running_system, participants, node):
        self.running_system, self.participants, self.node = running_system, participants, node
        self.system, self.placed = running_system.system, []

    async def place(self, count, *, every_s=0.01):
        for _ in range(count):
            wanted = order(f"o{len(self.placed)}")
            while True:
                try:
                    await self.system.start(wanted)
                    break
                except Failure:
                    await asyncio.sleep(0.1)
            self.placed.append(wanted.order_id)
            await asyncio.sleep(every_s)

    async def effects(self, name):
        ledger = (await self.system.ledgers())[name]["ledger"]
        return [(row["order_id"], row["operation"]) for row in ledger]

    async def all_confirmed(self, within_s=25):
        async with asyncio.timeout(within_s):
            while not await self._done():
                await asyncio.sleep(0.05)
        for name, steps in (("order", 2), ("inventory", 1), ("payment", 1), ("shipping", 1)):
            effects = await self.effects(name)
            assert len(effects) == len(set(effects)) == steps * len(self.placed), name

    async def _done(self):
        statuses = await self.participants.statuses()
        return all(statuses.get(order_id) == "CONFIRMED" for order_id in self.placed)


@asynccontextmanager
async def _open(rabbit, tmp_path, *, cuttable=False):
    async with AsyncExitStack() as stack:
        faults = PlannedFaults(
            FaultPlan(), [], saga=SAGA, seed=1, policy=POLICY, clock=SystemClock()
        )
        setting = await stack.enter_async_context(
            RunEnvironment.open(
                tmp_path, environment(policy=POLICY, faults=faults), run_id=secrets.token_hex(4),
                backends=Backends(broker=rabbit.url, node=rabbit, engine="embedded"),
                faults=faults, cuttable=cuttable,
            )
        )  # fmt: skip
        await setting.participants.stock_up({"book": 10_000})
        running_system = await stack.enter_async_context(STYLES["choreography"].open(setting))
        yield _Shop(running_system, setting.participants, rabbit), setting


@pytest.fixture
async def shop(rabbit, tmp_path):
    async with _open(rabbit, tmp_path) as (opened, _):
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
    async with _open(rabbit, tmp_path, cuttable=True) as (shop, _):
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
    async with _open(rabbit, tmp_path) as (shop, setting):
        await shop.place(3)
        await shop.all_confirmed()
        connection = await connect(rabbit.url)
        async with connection.channel() as channel:
            await channel.queue_delete(f"{setting.prefix}.payment")
        await connection.close()
        await shop.place(10)
        await shop.all_confirmed()


async def test_what_cannot_be_read_is_parked_and_holds_nobody_up(rabbit, tmp_path):
    async with _open(rabbit, tmp_path) as (shop, setting):
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
