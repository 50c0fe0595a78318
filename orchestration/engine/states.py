"""What each state type does with its input. Source: Amazon States Language, one section per state type."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import orjson

from orchestration.engine import choice, paths
from orchestration.engine.errors import ExecutionFailed, StatesError
from orchestration.engine.retry import Retries, catcher

Step = tuple[Any, str | None]
"""The output of a state, and the name of the next one (None = the machine ends here)."""
UNTRUNCATED = {"truncated": False}


class Run(Protocol):
    """The execution that a state belongs to."""

    async def wait(self, seconds: float) -> None:
        """Sleep, scaled, from the last recorded event on; a restart keeps the deadline."""
        ...

    async def invoke(self, resource: str, payload: str, timeout_s: float | None) -> Any:
        """Dispatch a task after its events are durable. Raise StatesError if it failed."""
        ...

    def context(self, state: str, *, retries: int = 0) -> dict[str, Any]:
        """The context object ($$)."""
        ...


def text(value: Any) -> str:
    """A value as AWS writes it in histories: compact JSON."""
    return orjson.dumps(value).decode()


async def run_task(run: Run, name: str, state: dict[str, Any], data: Any) -> Step:
    """Invoke the resource, with Retry around it and Catch behind it."""
    retries = Retries(state.get("Retry", []))
    while True:
        context = run.context(name, retries=retries.total)
        try:
            effective = _effective_input(state, data, context)
            result = await run.invoke(
                state["Resource"], text(effective), state.get("TimeoutSeconds")
            )
            return _output(state, data, result, context), state.get("Next")
        except StatesError as failure:
            delay_s = retries.next_delay_s(failure)
            if delay_s is not None:
                await run.wait(delay_s)
                continue
            caught = catcher(state.get("Catch", []), failure)
            if caught is None:
                raise
            found = {"Error": failure.error}
            if failure.cause is not None:
                found["Cause"] = failure.cause
            return _place(caught, data, found), caught["Next"]


async def run_pass(run: Run, name: str, state: dict[str, Any], data: Any) -> Step:
    """Hand the input on, or a fixed Result."""
    context = run.context(name)
    result = state["Result"] if "Result" in state else _effective_input(state, data, context)
    return _output(state, data, result, context), state.get("Next")


async def run_choice(run: Run, name: str, state: dict[str, Any], data: Any) -> Step:
    """Pick the next state by the input."""
    context = run.context(name)
    data = _select(state, "InputPath", data, context)
    following = choice.choose(state, data, context)
    return _select(state, "OutputPath", data, context), following


async def run_wait(run: Run, name: str, state: dict[str, Any], data: Any) -> Step:
    """Let time pass."""
    await run.wait(state["Seconds"])
    context = run.context(name)
    data = _select(state, "InputPath", data, context)
    return _select(state, "OutputPath", data, context), state.get("Next")


async def run_succeed(run: Run, name: str, state: dict[str, Any], data: Any) -> Step:
    """End well."""
    context = run.context(name)
    data = _select(state, "InputPath", data, context)
    return _select(state, "OutputPath", data, context), None


async def run_fail(run: Run, name: str, state: dict[str, Any], data: Any) -> Step:
    """End with a named error."""
    raise ExecutionFailed(state.get("Error", ""), state.get("Cause"))


STATES: dict[str, Callable[[Run, str, dict[str, Any], Any], Awaitable[Step]]] = {
    "Task": run_task,
    "Pass": run_pass,
    "Choice": run_choice,
    "Wait": run_wait,
    "Succeed": run_succeed,
    "Fail": run_fail,
}


def _select(state: dict[str, Any], field: str, data: Any, context: Any) -> Any:
    path = state.get(field, "$")
    return {} if path is None else paths.read(path, data, context)


def _effective_input(state: dict[str, Any], data: Any, context: Any) -> Any:
    chosen = _select(state, "InputPath", data, context)
    if "Parameters" in state:
        return paths.fill(state["Parameters"], chosen, context)
    return chosen


def _output(state: dict[str, Any], data: Any, result: Any, context: Any) -> Any:
    if "ResultSelector" in state:
        result = paths.fill(state["ResultSelector"], result, context)
    return _select(state, "OutputPath", _place(state, data, result), context)


def _place(holder: dict[str, Any], data: Any, result: Any) -> Any:
    path = holder.get("ResultPath", "$")
    return data if path is None else paths.write(path, data, result)
