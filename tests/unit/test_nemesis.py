"""How a soak strikes: as many troubles at the same time as were wanted, of which none excludes another."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from kernel.clock import SystemClock
from scenarios.campaigns.soak import soak_scenario
from scenarios.faults.nemesis import FROZEN, KILLED, Nemesis
from scenarios.faults.plan import Moment
from shared_domain.order.saga import SAGA

NAMES = (KILLED, FROZEN, "payment cut off", "shipping cut off")


async def _rounds(at_once, count):
    """Which troubles were under way together, for each of `count` rounds."""
    under_way, together = set(), []

    @asynccontextmanager
    async def trouble(name):
        under_way.add(name)
        await asyncio.sleep(0)
        together.append(frozenset(under_way))
        if len(together) >= at_once * count:
            nemesis.stop()
        yield False
        await asyncio.sleep(0)
        under_way.discard(name)

    nemesis = Nemesis(
        {name: lambda name=name: trouble(name) for name in NAMES},
        every_s=0.001, at_once=at_once, seed=1, customers=[], participants=None, clock=SystemClock(),
    )  # fmt: skip

    async def recovered(since_mono_s):
        return True

    nemesis._recovered = recovered
    async with asyncio.timeout(10):
        await nemesis.run()
    return set(together)


@pytest.mark.parametrize("at_once", [1, 2, 3])
async def test_as_many_troubles_as_wanted_are_under_way_together(at_once):
    assert {len(names) for names in await _rounds(at_once, 30)} == {at_once}


@pytest.mark.parametrize("at_once", [2, 3])
async def test_a_coordinator_is_never_killed_and_frozen_at_once(at_once):
    rounds = await _rounds(at_once, 40)
    assert any(KILLED in names for names in rounds)
    assert not any({KILLED, FROZEN} <= names for names in rounds)


@pytest.mark.parametrize(("at_once", "expected"), [(1, 0), (2, 2), (3, 3)])
def test_one_order_in_ten_is_struck_as_often_as_things_break_at_once(at_once, expected):
    plan = soak_scenario(SAGA, at_once=at_once).faults(100)
    struck = [
        f for f in plan.faults if f.orders == {"every": 10} and f.moment is not Moment.REFUSED
    ]
    assert len(struck) == expected
    assert len({fault.operation for fault in struck}) == expected
