"""A choreography on a real node with customers who do not give up, for tests of what the node can do to it."""

import asyncio
import secrets
from contextlib import AsyncExitStack, asynccontextmanager

from kernel.clock import SystemClock
from kernel.errors import Failure
from kernel.policy import Policy
from scenarios.faults.plan import FaultPlan
from scenarios.faults.planned import PlannedFaults
from scenarios.runs.environment import Backends, RunEnvironment
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA
from tests.samples import environment, order

POLICY = Policy(time_scale=0.5)
"""A saga deadline of 30 s: longer than any of the troubles in these tests."""


class Shop:
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
async def open_shop(rabbit, tmp_path, *, cuttable=False, plan=None, order_ids=(), policy=POLICY):
    async with AsyncExitStack() as stack:
        faults = PlannedFaults(
            plan or FaultPlan(),
            list(order_ids),
            saga=SAGA,
            seed=1,
            policy=policy,
            clock=SystemClock(),
        )
        setting = await stack.enter_async_context(
            RunEnvironment.open(
                tmp_path, environment(policy=policy, faults=faults), run_id=secrets.token_hex(4),
                backends=Backends(broker=rabbit.url, node=rabbit, engine="embedded"),
                faults=faults, cuttable=cuttable,
            )
        )  # fmt: skip
        await setting.participants.stock_up({"book": 10_000})
        running_system = await stack.enter_async_context(STYLES["choreography"].open(setting))
        yield Shop(running_system, setting.participants, rabbit), setting
