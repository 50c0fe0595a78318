"""AWS's API actions without the wire."""

import sqlite3
from collections.abc import Awaitable, Callable

from kernel.full_disk import is_full
from orchestration.engine import execution_actions, machine_actions, requests, task_actions
from orchestration.engine.errors import ApiError
from orchestration.engine.requests import Parameters
from orchestration.engine.service import StepFunctionsEngine

Action = Callable[[StepFunctionsEngine, Parameters], Awaitable[Parameters]]
ACTIONS: dict[str, Action] = {
    **machine_actions.ACTIONS,
    **execution_actions.ACTIONS,
    **task_actions.ACTIONS,
}
"""Name of an action -> what carries it out."""


async def call(engine: StepFunctionsEngine, action: str, parameters: Parameters) -> Parameters:
    """AWS's answer to one API action, as a JSON object. Raise ApiError as AWS does."""
    if action not in ACTIONS:
        known = ", ".join(ACTIONS)
        raise ApiError("UnknownOperationException", f"{action} is not one of {known}")
    requests.check(action, parameters)
    try:
        return await ACTIONS[action](engine, parameters)
    except sqlite3.OperationalError as error:
        if not is_full(error):
            raise
        told = "the engine's disk is full: nothing was changed, make room and try again"
        raise ApiError("ServiceUnavailable", told, status=503) from error
