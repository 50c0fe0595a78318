"""A service that dies is started again; one that is told to stop stops, whatever it dies of in that moment."""

import asyncio

import pytest

from choreography.service_host import serve
from kernel.errors import ParticipantCrashed


async def test_a_crash_of_one_loop_ends_all_of_them_and_starts_them_again():
    lives, ended = [], []

    async def crashing():
        lives.append("crashing")
        if len(lives) < 4:
            raise ParticipantCrashed("a fault")
        await asyncio.Event().wait()

    async def other():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("other")

    serving = asyncio.create_task(serve([crashing, other]))
    while len(lives) < 4:
        await asyncio.sleep(0)
    serving.cancel()
    await asyncio.wait([serving], timeout=1)
    assert serving.cancelled()
    assert len(ended) == 4


async def test_a_crash_in_the_moment_of_the_stop_cannot_hide_it():
    async def dies_of_its_end():
        try:
            await asyncio.Event().wait()
        finally:
            raise ParticipantCrashed("while it was stopped")

    serving = asyncio.create_task(serve([dies_of_its_end]))
    await asyncio.sleep(0.01)
    serving.cancel()
    await asyncio.wait([serving], timeout=1)
    assert serving.cancelled()


async def test_what_is_no_crash_is_not_started_again():
    async def broken():
        raise ValueError("a bug")

    with pytest.raises(ExceptionGroup, match="unhandled"):
        await serve([broken])
