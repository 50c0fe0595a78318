import asyncio

from kernel.clock import ManualClock


async def test_manual_time_wakes_sleepers_in_the_order_of_their_deadlines():
    clock, woken = ManualClock(), []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        woken.append((seconds, clock.mono_s()))

    async with asyncio.TaskGroup() as group:
        for seconds in (3, 1, 2):
            group.create_task(sleeper(seconds))
        await asyncio.sleep(0)
        await clock.advance(2)
        assert woken == [(1, 1), (2, 2)]
        await clock.advance(5)
    assert woken[-1] == (3, 3)
    assert clock.wall_s() == 7
