"""Activities' tasks between those who offer them and those who take them."""

import asyncio

from orchestration.engine.callbacks import TaskCallbacks

POLL_S = 0.05


def _poll(callbacks):
    """A task that an activity's worker is offered while it polls for POLL_S."""
    offering = asyncio.create_task(callbacks.worker(1, 2, activity="a", payload="{}"))
    polling = asyncio.create_task(callbacks.take("a", worker="w", within_s=POLL_S))
    return offering, polling


async def test_a_task_that_is_taken_at_the_end_of_a_poll_is_not_lost():
    callbacks = TaskCallbacks(b"secret", ["a"])
    offering, polling = _poll(callbacks)
    assert await offering == "w"
    await asyncio.sleep(2 * POLL_S)  # the disk is slow
    callbacks.started(1, 2, durable=True)
    assert await polling == (callbacks.token(1, 2), "{}")


async def test_a_poll_whose_task_is_over_before_it_started_ends_in_time():
    callbacks = TaskCallbacks(b"secret", ["a"])
    offering, polling = _poll(callbacks)
    await offering
    await asyncio.sleep(2 * POLL_S)
    callbacks.started(1, 2, durable=False)
    async with asyncio.timeout(1):
        assert await polling is None
