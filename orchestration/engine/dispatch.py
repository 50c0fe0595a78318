"""Tasks that the engine hands to somebody over a call: dispatched once, and again if the answer was lost with the engine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from orchestration.engine import waited_tasks
from orchestration.engine.entered import Entered
from orchestration.engine.errors import StatesError
from orchestration.engine.history import Event
from orchestration.engine.task_events import Family, Limits, result_of
from orchestration.engine.text import UNTRUNCATED, error_details, fitting

CALLBACK = ".waitForTaskToken"
Dispatch = Callable[[], Awaitable[str]]
"""Hands the task over; the answer as JSON. Raises StatesError."""


async def carried_out(
    entered: Entered,
    family: Family,
    scheduled: Event,
    dispatch: Dispatch,
    limits: Limits,
    *,
    who: str,
    callback: bool,
) -> Any:
    """The result of a task: what `dispatch` answers, or with `callback` what somebody answers who has the token."""
    if not callback:
        return await outcome(entered, family, dispatch, limits, who=who)
    shared = entered.branch.shared
    with shared.callbacks.expected(shared.row["id"], scheduled.id):
        if not await _submitted(entered, family, scheduled, dispatch, limits, who=who):
            return result_of(entered.branch.last)
        return await waited_tasks.answer(entered, family, scheduled, limits)


async def _submitted(
    entered: Entered,
    family: Family,
    scheduled: Event,
    dispatch: Dispatch,
    limits: Limits,
    *,
    who: str,
) -> bool:
    """Hand the token over: whether the answer is still to be taken.

    It may come before the call returns, for instance from the function itself, which is then left alone.
    """
    branch = entered.branch
    if branch.replaying:
        if branch.upcoming() == "TaskSubmitted":
            branch.next_recorded()
            return True
        branch.next_recorded()
        return False
    callbacks = branch.shared.callbacks
    answered = callbacks.answered(branch.shared.row["id"], scheduled.id)

    async def call() -> str:
        return await asyncio.shield(callbacks.left_alone(dispatch()))

    calling = asyncio.ensure_future(
        outcome(entered, family, call, limits, who=who, success="Submitted")
    )
    try:
        await asyncio.wait({calling, answered}, return_when=asyncio.FIRST_COMPLETED)
        if calling.done():
            calling.result()
        return True
    finally:
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)


async def outcome(
    entered: Entered,
    family: Family,
    dispatch: Dispatch,
    limits: Limits,
    *,
    who: str,
    success: str = "Succeeded",
) -> Any:
    """Dispatch, unless the outcome is recorded. A task whose answer was lost with the engine is dispatched again."""
    branch = entered.branch
    if branch.replaying:
        return result_of(branch.next_recorded())
    await branch.shared.flush()
    try:
        async with asyncio.timeout(limits.scaled(branch.shared.time_scale).timeout_s):
            result = fitting(await dispatch(), who=who, did="returned a result")
        event = family.record(entered, success, {"output": result, "outputDetails": UNTRUNCATED})
    except TimeoutError:
        event = family.record(entered, "TimedOut", {"error": "States.Timeout"})
    except StatesError as failure:
        event = family.record(entered, "Failed", error_details(failure.error, failure.cause))
    return result_of(event)
