"""One participant as a running service: consumer, relay and deadline watch, restarted after a crash."""

import asyncio
from collections.abc import Awaitable, Callable

from shared_domain.errors import ParticipantCrashed

Loop = Callable[[], Awaitable[None]]


async def serve(loops: list[Loop]) -> None:
    """Run every loop until cancelled.

    A ParticipantCrashed in one of them ends them all without an ack or an answer, closes their
    connections, and starts them again: what kill -9 and a supervisor do to a process.
    """
    while True:
        try:
            async with asyncio.TaskGroup() as life:
                for loop in loops:
                    life.create_task(_run(loop))
        except* ParticipantCrashed:
            pass  # and round again: the supervisor's restart


async def _run(loop: Loop) -> None:
    await loop()
