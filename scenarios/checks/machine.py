"""The state machine against the rows: it is run on the embedded engine with every script, and no participant."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

from kernel.errors import Failure
from kernel.orders import CONFIRMED
from kernel.pages import in_state_machine, read_machine
from kernel.policy import Policy
from kernel.saga import Saga
from scenarios.checks.finding import Finding
from scenarios.checks.played import Played, play_all
from scenarios.checks.rows import (
    BROKEN,
    PARKED,
    Script,
    walk,
)

END = "the end"
_OF_ONE_EXECUTION = re.compile(r" \(entered at the event id #\d+\)| in the input '.*'$", re.DOTALL)
"""What makes the same error a different text in every execution."""


def machine_findings(saga: Saga, variant: str) -> Iterator[Finding]:
    """What a state machine says otherwise than the rows, and what retries and deadlines it has of its own."""
    tasks = read_machine(saga, variant)
    definition = json.loads(saga.state_machines[variant].read_text(encoding="utf-8"))
    yield from _tasks(saga, variant, tasks)
    yield from _retries(saga, variant, tasks)
    try:
        played = asyncio.run(play_all(saga, variant, definition))
    except Failure as error:
        named = re.search(r"/States/(\w+)", str(error))
        place = in_state_machine(saga, variant, named[1] if named else "")
        yield Finding(place, f"the engine refuses it: {error}", _NOTHING_RUNS)
        return
    except TimeoutError:
        place = in_state_machine(saga, variant, "")
        yield Finding(place, "an execution never ends: it goes round in circles", _NO_END)
        return
    said: set[str] = set()
    for script, found in played:
        for finding in _differences(saga, variant, script, found):
            if finding.says not in said:
                said.add(finding.says)
                yield finding
    if said:
        return
    entered = set().union(*(found.entered for _, found in played))
    for name in _states(definition):
        if name not in entered and name not in tasks:
            says = f"no answer ever leads to the state {name}"
            yield Finding(in_state_machine(saga, variant, name), says, "nothing: it can go")


_NOTHING_RUNS = "no order can be placed at all"
_NO_END = "an order stays open for ever, and every round of it is paid for"


def _tasks(saga: Saga, variant: str, tasks: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    for name in sorted(tasks.keys() - set(saga.operations)):
        yield Finding(
            in_state_machine(saga, variant, name),
            f"the task {name} is no operation of the rows",
            "its effect is judged and undone by nobody",
        )
    for name in sorted(set(saga.operations) - tasks.keys()):
        undone = saga.undoes.get(name, "")
        costs = f"{undone} is never undone" if undone else "the step is never done"
        yield Finding(in_state_machine(saga, variant, ""), f"there is no task {name}", costs)


def _retries(saga: Saga, variant: str, tasks: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    """The budget of the choreography's queues is the policy's: whatever else a page says makes the styles unequal."""
    policy = Policy()
    wanted = {
        "IntervalSeconds": policy.interval_s,
        "BackoffRate": policy.backoff_rate,
        "MaxDelaySeconds": policy.max_delay_s,
        "MaxAttempts": policy.max_retries,
    }
    for name, task in tasks.items():
        place = in_state_machine(saga, variant, name)
        costs = _NO_RETRY[name in saga.undoes]
        if not task.get("Retry"):
            yield Finding(place, f"{name} has no Retry", costs)
            continue
        last = task["Retry"][-1]
        if last.get("ErrorEquals") != ["States.ALL"]:
            says = f"the last Retry of {name} is not for States.ALL: a timeout or a crash may not be tried again"
            yield Finding(place, says, costs)
        for key, value in wanted.items():
            if last.get(key) != value:
                says = f"{name} is retried with {key} {last.get(key)}; the policy of both styles says {value:g}"
                yield Finding(place, says, _UNEQUAL)
        if task.get("TimeoutSeconds") != policy.step_deadline_s:
            says = f"{name} has TimeoutSeconds {task.get('TimeoutSeconds')}; the policy of both styles says {policy.step_deadline_s:g}"
            yield Finding(place, says, _UNEQUAL)


_NO_RETRY = {
    False: "one lost message undoes a whole order that a second try would have completed",
    True: "one lost message leaves a customer's money or goods where they are, until an operator comes",
}
_UNEQUAL = "one style tries longer than the other: what is measured is the retries, not the style"


def _differences(saga: Saga, variant: str, script: Script, found: Played) -> Iterator[Finding]:
    for operation, what in found.lost.items():
        yield Finding(
            in_state_machine(saga, variant, operation),
            f"{operation} is called {what}",
            "the participant cannot know whose saga it is: parked",
        )
    if found.error:
        why = _OF_ONE_EXECUTION.sub("", found.error)
        says = f"{found.entered[-1]} cannot work on what it is given: {why}"
        costs = _consequence(saga, script, found)
        yield Finding(in_state_machine(saga, variant, found.entered[-1]), says, costs)
        return
    wanted = walk(saga, variant, script)
    at, calls = "", list(found.calls)
    for stage in wanted.calls:
        came, calls = calls[: len(stage)], calls[len(stage) :]
        if sorted(came) != sorted(stage):
            missing = [op for op in stage if op not in came]
            instead = [op for op in came if op not in stage]
            yield _finding(saga, variant, script, found, at, instead, missing)
            return
        at = _struck(stage, script)
    if calls:
        yield _finding(saga, variant, script, found, at, calls[:1], [])
    elif found.status != wanted.status:
        says = (
            f"{_told(at, script)} ends as {found.status or 'nothing'}; the rows say {wanted.status}"
        )
        yield Finding(in_state_machine(saga, variant, at), says, _consequence(saga, script, found))


def _struck(stage: tuple[str, ...], script: Script) -> str:
    """The operation to blame for what comes next: one that answered otherwise, or the last."""
    return next((op for op in stage if op in script), stage[-1])


def _finding(
    saga: Saga,
    variant: str,
    script: Script,
    found: Played,
    at: str,
    instead: list[str],
    missing: list[str],
) -> Finding:
    leads = " and ".join(instead) or END
    wanted = " and ".join(missing) or END
    says = f"{_told(at, script)} leads to {leads}; the rows say {wanted}"
    return Finding(
        in_state_machine(saga, variant, at or leads), says, _consequence(saga, script, found)
    )


def _told(operation: str, script: Script) -> str:
    if not operation:
        return "the beginning"
    answer = script.get(operation, "")
    if answer in BROKEN:
        return f"{operation} {answer}"
    return f"{operation} answered {answer}" if answer else f"{operation}, done,"


def _consequence(saga: Saga, script: Script, found: Played) -> str:
    """What a customer has of it."""
    refused = {op for op in found.calls if script.get(op) in saga.refused}
    done = [op for op in found.calls if op in saga.forward and op not in refused]
    undone = {saga.undoes.get(u) for u in found.calls if script.get(u) not in saga.kept}
    left = [op for op in done if op not in undone]
    if found.status == CONFIRMED:
        lacks = [op for op in saga.forward if op not in done or script.get(op) in BROKEN]
        if lacks:
            return f"the order is said to be done without {', '.join(lacks)}"
        return "the order is said to be done"
    if found.status == PARKED:
        return (
            f"an operator has to undo {', '.join(left)} by hand"
            if left
            else "an operator has to look at it"
        )
    return f"{', '.join(left)} is never undone" if left else "nobody can rely on how it ended"


def _states(machine: dict[str, Any]) -> Iterator[str]:
    for name, state in machine["States"].items():
        yield name
        for branch in state.get("Branches", ()):
            yield from _states(branch)
