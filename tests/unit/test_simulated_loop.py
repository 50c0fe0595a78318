"""Virtual time, an order drawn from a seed, and nothing of this machine."""

import asyncio
import time

import pytest

from scenarios.campaigns.simulation.loop import START_S, NeverEnds, SimulatedLoop


def _run(coroutine, seed=1, limit_s=10_000.0):
    loop = SimulatedLoop(seed, limit_s=limit_s)
    return loop.run_until_complete(coroutine), loop


async def _order(names):
    """The order in which tasks come to their end that all could at once."""
    came = []

    async def come(name):
        await asyncio.sleep(0)
        came.append(name)

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(come(name))
    return "".join(came)


def test_a_thousand_seconds_take_none():
    begun = time.monotonic()
    _, loop = _run(asyncio.sleep(1000))
    assert loop.time() == START_S + 1000
    assert time.monotonic() - begun < 5


def test_sleepers_wake_in_the_order_of_their_deadlines_whatever_the_seed():
    async def main():
        woke = []

        async def sleep(seconds):
            await asyncio.sleep(seconds)
            woke.append(seconds)

        await asyncio.gather(*(sleep(s) for s in (3, 1, 2)))
        return woke

    assert [_run(main(), seed)[0] for seed in range(20)] == [[1, 2, 3]] * 20


def test_the_seed_decides_the_order_of_what_is_ready_at_once():
    orders = [_run(_order("abcd"), seed)[0] for seed in range(200)]
    assert orders == [_run(_order("abcd"), seed)[0] for seed in range(200)]
    assert len(set(orders)) == 24


def test_without_a_seed_the_first_come_is_the_first_served():
    assert _run(_order("abcd"), None)[0] == "abcd"


def test_a_timeout_strikes_in_virtual_time():
    async def main():
        try:
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        except TimeoutError:
            return asyncio.get_running_loop().time()

    assert _run(main())[0] == START_S + 5


def test_waiting_for_what_cannot_come_ends():
    with pytest.raises(NeverEnds, match="cannot come"):
        _run(asyncio.Event().wait())


def test_a_run_past_its_limit_ends():
    async def main():
        while True:
            await asyncio.sleep(1)

    with pytest.raises(NeverEnds, match="not over after 50 s"):
        _run(main(), limit_s=50)


def test_a_run_that_is_busy_for_ever_ends(monkeypatch):
    monkeypatch.setattr("scenarios.campaigns.simulation.loop.MAX_TURNS", 1000)

    async def main():
        while True:
            await asyncio.sleep(0)

    with pytest.raises(NeverEnds, match="still busy after 1000 turns"):
        _run(main())


@pytest.mark.parametrize(
    "leave",
    [
        lambda: asyncio.to_thread(print),
        lambda: asyncio.open_connection("127.0.0.1", 1),
        lambda: asyncio.create_subprocess_exec("true"),
    ],
)
def test_threads_networks_and_processes_are_out_of_reach(leave):
    async def main():
        await leave()

    with pytest.raises((RuntimeError, NotImplementedError)):
        _run(main())


def test_what_nobody_caught_is_kept():
    async def main():
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    _, loop = _run(main())
    assert "ZeroDivisionError" in loop.troubles[0]


def test_a_task_that_failed_unseen_is_told_of_even_if_somebody_still_holds_it():
    async def main():
        async def fail():
            raise ZeroDivisionError

        task = asyncio.create_task(fail())
        task.itself = task
        await asyncio.sleep(1)

    _, loop = _run(main())
    assert "ZeroDivisionError" in loop.troubles[0]


def test_a_set_of_tasks_has_the_same_order_in_every_run():
    async def main():
        tasks = {asyncio.create_task(asyncio.sleep(n), name=str(n)) for n in range(50)}
        names = [task.get_name() for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return names

    keep = [_run(main())[0] for _ in range(3)]
    assert keep[0] == keep[1] == keep[2]


def test_a_generator_that_is_left_alone_is_closed():
    closed = []

    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(1)
            closed.append(True)

    async def main():
        async for _ in numbers():
            break
        await asyncio.sleep(2)

    _run(main())
    assert closed
