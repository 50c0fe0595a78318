"""Tasks that somebody outside answers later: activities, and functions that pass a task token on."""

import asyncio
from typing import Any

from orchestration.engine.entered import Entered
from orchestration.engine.errors import Fault, StatesError
from orchestration.engine.history import Event
from orchestration.engine.task_events import Family, Limits, left_s, result_of
from orchestration.engine.text import UNTRUNCATED, error_details

TIMER_S = 0.01
"""How much too early a timer may be."""


async def activity(entered: Entered, given: str, limits: Limits) -> Any:
    """One attempt at an activity's task: offer it to workers, and wait for the answer of the one that takes it."""
    family, branch = Family("Activity"), entered.branch
    resource = entered.state["Resource"]
    exists = branch.shared.callbacks.exists(resource)
    if branch.replaying:
        exists = branch.upcoming() == "ActivityScheduled"
    if not exists:
        raise Fault("States.Runtime", f"The activity {resource} does not exist.")
    details = {"resource": resource, "input": given, "inputDetails": UNTRUNCATED}
    scheduled = family.record(entered, "Scheduled", details | limits.told())
    payload = scheduled.details["activityScheduledEventDetails"]["input"]
    callbacks, execution = branch.shared.callbacks, branch.shared.row["id"]
    try:
        with callbacks.expected(execution, scheduled.id):
            if branch.upcoming() == "ActivityStarted":
                branch.next_recorded()
            elif not branch.replaying and not await _taken(entered, scheduled, payload, limits):
                return result_of(family.record(entered, "TimedOut", {"error": "States.Timeout"}))
            return await answer(entered, family, scheduled, limits)
    finally:
        callbacks.started(execution, scheduled.id, durable=False)


async def _taken(entered: Entered, scheduled: Event, payload: str, limits: Limits) -> bool:
    """Whether a worker took an activity's task in time; its start is recorded then."""
    branch, scaled = entered.branch, limits.scaled(entered.branch.shared.time_scale)
    await branch.shared.flush()
    try:
        async with asyncio.timeout(left_s(entered, scheduled, scaled)):
            worker = await branch.shared.callbacks.worker(
                branch.shared.row["id"],
                scheduled.id,
                activity=entered.state["Resource"],
                payload=payload,
            )
    except TimeoutError:
        return False
    started = {} if worker is None else {"workerName": worker}
    branch.record("ActivityStarted", "activityStartedEventDetails", started)
    await branch.shared.flush()
    branch.shared.callbacks.started(branch.shared.row["id"], scheduled.id, durable=True)
    return True


async def answer(entered: Entered, family: Family, scheduled: Event, limits: Limits) -> Any:
    """Wait for SendTaskSuccess or SendTaskFailure."""
    branch = entered.branch
    scaled, execution = limits.scaled(branch.shared.time_scale), branch.shared.row["id"]
    if branch.replaying:
        return _waited(branch.next_recorded(), scheduled, scaled)
    await branch.shared.flush()
    try:
        async with asyncio.timeout(left_s(entered, scheduled, scaled)):
            output, error, cause = await branch.shared.callbacks.answer(
                execution, scheduled.id, heartbeat_s=scaled.heartbeat_s
            )
    except TimeoutError:
        event = family.record(entered, "TimedOut", {"error": "States.Timeout"})
        return _waited(event, scheduled, scaled)
    if output is None:
        event = family.record(entered, "Failed", error_details(error, cause))
    else:
        event = family.record(
            entered, "Succeeded", {"output": output, "outputDetails": UNTRUNCATED}
        )
    await branch.shared.flush()
    branch.shared.callbacks.settled(execution, scheduled.id)
    return result_of(event)


def _waited(event: Event, scheduled: Event, scaled: Limits) -> Any:
    """The result of a wait. AWS's history tells a lost heartbeat as States.Timeout, but both names match it."""
    try:
        return result_of(event)
    except StatesError as failure:
        waited_s = event.at_s - scheduled.at_s + TIMER_S
        whole = scaled.timeout_s is not None and waited_s >= scaled.timeout_s
        lost = scaled.heartbeat_s is not None and not whole
        failure.heartbeat = event.type.endswith("TimedOut") and lost
        raise
