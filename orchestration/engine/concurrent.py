"""Parallel and Map: several branches of one execution at a time, and how their ends are joined."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from orchestration.engine import templates
from orchestration.engine.branch import Branch, Shared
from orchestration.engine.entered import Entered
from orchestration.engine.errors import BranchAborted, EvaluationFault, Fault, StatesError
from orchestration.engine.jsonata_query import fill, is_expression, type_name
from orchestration.engine.limits import MOST_AT_ONCE
from orchestration.engine.query import ABSENT, JsonPath
from orchestration.engine.text import text

RUNTIME = "States.Runtime"
_TASK_FAILURES = ("TaskFailed", "LambdaFunctionFailed", "ActivityFailed")
RunOne = Callable[[Branch, int], Awaitable[Any]]


async def parallel(entered: Entered, count: int, run: RunOne) -> list[Any]:
    """Run every branch; their outputs in order. The first failure ends them all."""
    outer = entered.branch
    started = outer.record("ParallelStateStarted")
    entered.inside = True
    branches = [outer.inner(f"{started.id}.{n}", previous=started.id) for n in range(count)]

    async def one(number: int) -> Any:
        try:
            return await run(branches[number], number)
        except StatesError as failure:
            failure.at_event = branches[number].previous
            abort(branches[number])
            outer.previous = branches[number].previous
            raise

    results = await _all(outer.shared, [one(number) for number in range(count)])
    entered.inside = False
    outer.previous = max(branch.previous for branch in branches)
    outer.record("ParallelStateSucceeded", leads=False)
    return results


async def iterate(entered: Entered, count: int, run: RunOne, *, most: int) -> list[Any]:
    """Run every iteration, at most `most` at a time (0 = AWS's own limit); their outputs in order."""
    outer, name = entered.branch, entered.name
    started = outer.record("MapStateStarted", "mapStateStartedEventDetails", {"length": count})
    entered.inside = True
    waiting, results = iter(range(count)), [None] * count
    last = started.id

    async def worker() -> None:
        nonlocal last
        pointer = started.id
        for index in waiting:
            branch = outer.inner(f"{started.id}.{index}", previous=pointer)
            told = {"name": name, "index": index}
            branch.record("MapIterationStarted", "mapIterationStartedEventDetails", told)
            try:
                results[index] = await run(branch, index)
            except StatesError as failure:
                failure.at_event = branch.previous
                if failure.error != RUNTIME and (branch.upcoming() or not branch.over):
                    field = "mapIterationFailedEventDetails"
                    branch.record("MapIterationFailed", field, told, leads=False)
                outer.previous = branch.previous
                raise
            ended = branch.record(
                "MapIterationSucceeded", "mapIterationSucceededEventDetails", told, leads=False
            )
            last, pointer = max(last, ended.id), branch.previous

    await _all(
        outer.shared,
        [worker() for _ in range(min(most or MOST_AT_ONCE, MOST_AT_ONCE, max(count, 1)))],
    )
    entered.inside = False
    outer.previous = last
    outer.record("MapStateSucceeded", leads=False)
    return results


async def _all(shared: Shared, works: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Every result in order; at the first failure the others are cancelled."""
    tasks = [asyncio.create_task(shared.watched(partial(_unless_aborted, work))) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failures = [task.exception() for task in tasks if task.done()]
        failed = [failure for failure in failures if failure is not None]
        if failed:
            # Of several that failed at once the first one recorded counts, in a replay too.
            raise min(failed, key=lambda failure: getattr(failure, "at_event", 0))
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _unless_aborted(work: Coroutine[Any, Any, Any]) -> Any:
    """What a branch gives; one that was aborted in the recorded history waits until its siblings have failed."""
    try:
        return await work
    except BranchAborted:
        await asyncio.Event().wait()


def abort(branch: Branch) -> None:
    """Note that a task's failure ended its branch."""
    coming = branch.upcoming()
    live = not coming and not branch.over
    if coming == "TaskStateAborted" or (live and branch.ended_by(_TASK_FAILURES)):
        branch.record("TaskStateAborted", leads=False)


def record_failure(entered: Entered, raised: StatesError) -> None:
    """Record that a Map or Parallel has failed for good. What nobody can catch ends the execution without it."""
    kind = entered.state["Type"]
    if kind not in ("Map", "Parallel") or raised.error == RUNTIME:
        return
    if entered.inside or isinstance(raised, EvaluationFault):
        entered.branch.record(f"{kind}StateFailed")


def map_items(entered: Entered) -> tuple[list[Any], Callable[[Branch, int], Any]]:
    """The items of a Map state, and what gives each iteration its input."""
    if entered.language == "JSONata":
        return _jsonata_items(entered)
    state, scope = entered.state, entered.scope()
    chosen = JsonPath().select(state, "InputPath", entered.data, scope)
    path = state.get("ItemsPath", "$")
    items = templates.compute(path, chosen, scope, field="ItemsPath")
    if not isinstance(items, list):
        raise Fault("States.Runtime", f'Reference path "{path}" must point to array.')
    selector = state.get("ItemSelector", state.get("Parameters"))

    def of(branch: Branch, index: int) -> Any:
        if selector is None:
            return items[index]
        return templates.fill(selector, chosen, branch.scope(entered.name, entered.event))

    return items, of


def _jsonata_items(entered: Entered) -> tuple[list[Any], Callable[[Branch, int], Any]]:
    state, data = entered.state, entered.data
    items = entered.query.value(state, "Items", data, entered.scope()) if "Items" in state else data
    if not isinstance(items, list):
        if not is_expression(state.get("Items")):
            raise EvaluationFault(f"Map state input must be an array but was: {text(items)}")
        raise EvaluationFault(
            f"The JSONata expression '{state['Items'][2:-2].strip()}' specified for the field 'Items' returned an"
            f" unexpected result type. Expected 'array', but was '{type_name(items)}' for value: {text(items)}",
            location="Items",
        )

    def of(branch: Branch, index: int) -> Any:
        if "ItemSelector" not in state:
            return items[index]
        scope = branch.scope(entered.name, entered.event)
        states = {"input": data, "context": scope.context}
        return fill(state["ItemSelector"], states, scope, field="ItemSelector")

    return items, of


def max_concurrency(entered: Entered) -> int:
    """How many iterations may run at once; 0 = no limit of the author's."""
    value = entered.query.value(entered.state, "MaxConcurrency", entered.data, entered.scope())
    if value is ABSENT:
        return 0
    whole = isinstance(value, int) and not isinstance(value, bool)
    if entered.language == "JSONata" and not (whole and value >= 0):
        told = f"The MaxConcurrency field must be a whole number from 0 on: {text(value)}"
        raise EvaluationFault(told, location="MaxConcurrency")
    if not whole:
        raise Fault(
            "States.Runtime",
            f'The MaxConcurrencyPath field refers to value "{text(value)}" which is not a valid integer:'
            f" {entered.state.get('MaxConcurrencyPath')}",
        )
    if value < 0:
        raise Fault("States.Runtime", "MaxConcurrency cannot be negative.")
    return int(value)
