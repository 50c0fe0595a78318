"""What each state type does with its input. Source: Amazon States Language, one section per state type."""

from collections.abc import Awaitable, Callable
from typing import Any

from orchestration.engine import concurrent, tasks, waits
from orchestration.engine.branch import Branch
from orchestration.engine.entered import QUERIES, Entered
from orchestration.engine.errors import Ended, EvaluationFault, Fault, StatesError
from orchestration.engine.history import Event
from orchestration.engine.limits import MAX_ASSIGNED_BYTES
from orchestration.engine.query import ABSENT, Finished, JsonPath, State
from orchestration.engine.retry import Retries, catcher
from orchestration.engine.text import UNTRUNCATED, error_details, fitting, parsed, text

_COMPUTED = ("Pass", "Wait", "Succeed", "Choice")
"""States that, once left, are not carried out again in a replay: they might choose, or draw, otherwise."""
Done = tuple[Finished, str | None]
"""What a state leaves, and the name of the next one (None = the end)."""


async def run_machine(branch: Branch, machine: State, data: Any, language: str) -> Any:
    """The output of a machine (the whole one, a branch, an item processor) for an input."""
    name: str | None = machine["StartAt"]
    language = machine.get("QueryLanguage", language)
    while name is not None:
        data, name = await _run_state(branch, name, machine["States"][name], data, language)
        name = branch.upcoming_state() or name  # what was recorded counts
    return data


async def _run_state(
    branch: Branch, name: str, state: State, data: Any, language: str
) -> tuple[Any, str | None]:
    kind, led_by = state["Type"], branch.previous
    details = {"name": name, "input": text(data), "inputDetails": UNTRUNCATED}
    replaying = branch.replaying
    event = branch.record(f"{kind}StateEntered", "stateEnteredEventDetails", details)
    if replaying:
        data = parsed(event.details["stateEnteredEventDetails"]["input"])
    await branch.shared.pause()
    spoken = state.get("QueryLanguage", language)
    entered = Entered(branch, name, state, data, event, led_by, QUERIES[spoken], spoken, language)
    if kind in _COMPUTED and branch.upcoming(kind == "Choice") == f"{kind}StateExited":
        return _leave(entered, Finished(None, {})), state.get("Next")
    finished, following = await _with_retry_and_catch(entered)
    return _leave(entered, finished), following


def _leave(entered: Entered, finished: Finished) -> Any:
    """Record the exit; the output."""
    output = fitting(text(finished.output), who=entered.name, did="returned a result", error=Ended)
    details: dict[str, Any] = {"name": entered.name, "output": output, "outputDetails": UNTRUNCATED}
    if finished.assigned:
        details["assignedVariables"] = _assigned(entered, finished.assigned)
        details["assignedVariablesDetails"] = UNTRUNCATED
    kind = f"{entered.state['Type']}StateExited"
    replaying = entered.branch.replaying
    event = entered.branch.record(kind, "stateExitedEventDetails", details)
    if replaying:  # what was recorded counts, for instance where chance was used
        return _recorded_exit(entered.branch, event)
    entered.branch.variables.update(finished.assigned)
    return finished.output


def _assigned(entered: Entered, variables: dict[str, Any]) -> dict[str, str]:
    """Variables as the history has them. End the execution if they are too big together."""
    written = {name: text(value) for name, value in variables.items()}
    if sum(len(value.encode()) for value in written.values()) > MAX_ASSIGNED_BYTES:
        told = f"The state '{entered.name}' assigned variables of more than {MAX_ASSIGNED_BYTES} bytes."
        raise Ended("States.DataLimitExceeded", told)
    return written


def _recorded_exit(branch: Branch, event: Event) -> Any:
    details = event.details["stateExitedEventDetails"]
    assigned = details.get("assignedVariables", {})
    branch.variables.update({name: parsed(value) for name, value in assigned.items()})
    return parsed(details["output"])


async def _with_retry_and_catch(entered: Entered) -> Done:
    retries = Retries(entered.state.get("Retry", []), chance=lambda: entered.scope().chance)
    while True:
        entered.retries = retries.total
        try:
            return await HANDLERS[entered.state["Type"]](entered)
        except StatesError as raised:
            failure = _located(entered, raised)
            delay_s = retries.next_delay_s(failure)
            if delay_s is not None:
                await entered.branch.wait(delay_s)
                continue
            concurrent.record_failure(entered, raised)
            caught = catcher(entered.state.get("Catch", []), failure)
            if caught is None:
                raise failure from raised
            cause = failure.cause
            if cause is None and failure.error == "States.Timeout":
                cause = ""  # so AWS tells it; other errors without a cause have null
            found = {"Error": failure.error, "Cause": cause}
            finished = entered.query.caught(caught, entered.data, found, entered.scope())
            return finished, caught["Next"]


def _located(entered: Entered, failure: StatesError) -> StatesError:
    """The failure with AWS's words on where it happened; an expression's failure leaves an event."""
    if not isinstance(failure, Fault) or failure.located:
        return failure
    failure.located = True
    failure.cause = (
        f"An error occurred while executing the state '{entered.name}' (entered at the event id"
        f" #{entered.event.id}). {failure.cause}"
    )
    if isinstance(failure, EvaluationFault):
        details = error_details(failure.error, failure.cause) | {"state": entered.name}
        if failure.location:
            details["location"] = failure.location
        if entered.state["Type"] != "Wait":
            entered.branch.previous = entered.led_by
        entered.branch.record("EvaluationFailed", "evaluationFailedEventDetails", details)
    return failure


async def _pass(entered: Entered) -> Done:
    state, scope = entered.state, entered.scope()
    result = (
        state["Result"]
        if "Result" in state
        else entered.query.arguments(state, entered.data, scope)
    )
    if "Result" in state:
        entered.query.arguments(
            {k: v for k, v in state.items() if k == "InputPath"}, entered.data, scope
        )
    return entered.query.finish(state, entered.data, result, scope), state.get("Next")


async def _choice(entered: Entered) -> Done:
    state, scope, data = entered.state, entered.scope(), entered.data
    if entered.language == "JSONPath":
        data = JsonPath().select(state, "InputPath", data, scope)
    rule, following = entered.query.choose(state, data, scope)
    holder = state if rule is None else rule
    shaped: State = {k: holder[k] for k in ("Assign", "Output") if k in holder}
    if "OutputPath" in state:
        shaped["OutputPath"] = state["OutputPath"]
    if rule is not None and "Output" not in rule and "Output" in state:
        shaped["Output"] = state["Output"]
    return entered.query.finish(shaped, data, data, scope), following


async def _wait(entered: Entered) -> Done:
    state, scope, data = entered.state, entered.scope(), entered.data
    if entered.language == "JSONPath":
        data = JsonPath().select(state, "InputPath", data, scope)
    if "Seconds" in state or "SecondsPath" in state:
        await entered.branch.wait(waits.seconds(entered, data, scope))
    else:
        await entered.branch.wait_until(waits.due_s(entered, data, scope))
    shaped: State = {k: state[k] for k in ("Assign", "Output", "OutputPath") if k in state}
    return entered.query.finish(shaped, data, data, scope), state.get("Next")


async def _succeed(entered: Entered) -> Done:
    state, scope, data = entered.state, entered.scope(), entered.data
    if entered.language == "JSONPath":
        data = JsonPath().select(state, "InputPath", data, scope)
    shaped: State = {k: state[k] for k in ("Output", "OutputPath") if k in state}
    return entered.query.finish(shaped, data, data, scope), None


async def _fail(entered: Entered) -> Done:
    scope = entered.scope()
    error = entered.query.value(entered.state, "Error", entered.data, scope)
    cause = entered.query.value(entered.state, "Cause", entered.data, scope)
    for field, value in (("Error", error), ("Cause", cause)):
        if value is not ABSENT and not isinstance(value, str):
            told = f"The field '{field}' must be a string but was: {text(value)}"
            if entered.language == "JSONata":
                raise EvaluationFault(told, location=field)
            raise Fault("States.Runtime", told)
    raise StatesError(*(None if value is ABSENT else value for value in (error, cause)))


async def _task(entered: Entered) -> Done:
    result = await tasks.run(entered)
    return entered.query.finish(
        entered.state, entered.data, result, entered.scope()
    ), entered.state.get("Next")


async def _parallel(entered: Entered) -> Done:
    arguments = entered.query.arguments(entered.state, entered.data, entered.scope())

    async def one(branch: Branch, index: int) -> Any:
        return await run_machine(
            branch, entered.state["Branches"][index], arguments, entered.outer_language
        )

    result = await concurrent.parallel(entered, len(entered.state["Branches"]), one)
    return entered.query.finish(
        entered.state, entered.data, result, entered.scope()
    ), entered.state.get("Next")


async def _map(entered: Entered) -> Done:
    state = entered.state
    items, inputs = concurrent.map_items(entered)
    machine = state.get("ItemProcessor") or state["Iterator"]

    async def one(branch: Branch, index: int) -> Any:
        branch.item = {"Index": index, "Value": items[index]}
        return await run_machine(branch, machine, inputs(branch, index), entered.outer_language)

    most = concurrent.max_concurrency(entered)
    result = await concurrent.iterate(entered, len(items), one, most=most)
    return entered.query.finish(state, entered.data, result, entered.scope()), state.get("Next")


HANDLERS: dict[str, Callable[[Entered], Awaitable[Done]]] = {
    "Task": _task,
    "Pass": _pass,
    "Choice": _choice,
    "Wait": _wait,
    "Succeed": _succeed,
    "Fail": _fail,
    "Parallel": _parallel,
    "Map": _map,
}
