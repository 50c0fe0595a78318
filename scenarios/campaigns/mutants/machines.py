"""Mutants of an orchestration's page: every field of every state, as deployed."""

import copy
import json
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from kernel.environment import Environment
from kernel.saga import Saga
from orchestration import system as orchestration_system
from orchestration.saga_definition import saga_definition
from scenarios.campaigns.mutants.mutant import Mutant
from scenarios.catalog.bug import ORCHESTRATION

OPERATORS = (
    "asl-next",
    "asl-end",
    "asl-type",
    "asl-resource",
    "asl-parameters",
    "asl-result-selector",
    "asl-result-path",
    "asl-retry",
    "asl-catch",
    "asl-timeout",
    "asl-choice",
    "asl-default",
    "asl-branches",
    "asl-start",
)
ROOM = "state machine"
_PACE = {"IntervalSeconds": 10, "BackoffRate": 0.5, "MaxDelaySeconds": 0.125}
"""By how much a wait is changed. Left out or longer they mean the same: these are the language's own defaults, and no wait comes to the cap."""
GONE = object()
"""The field is not there."""
Json = dict[str, Any]
Where = tuple[str | int, ...]
Change = tuple[str, Where, Any]
"""(operator, where in the state, what stands there instead)."""


def mutants_of_machines(saga: Saga) -> Iterator[Mutant]:
    """Every mutant of every variant's state machine; a field that a state of an earlier variant has as well is changed there only."""
    before: set[tuple[str, str, str]] = set()
    for variant in saga.state_machines:
        machine = saga_definition(Environment(saga=saga, variant=variant))
        if not before:
            names = list(machine["States"])
            start = names[names.index(machine["StartAt"]) + 1]
            where = ("StartAt",)
            yield _mutant(variant, "StartAt", "asl-start", 1, where, machine["StartAt"], start)
        fresh = set()
        for at, states in _levels(machine, ()):
            for name, state in states.items():
                marks = {field: (name, field, json.dumps(state[field])) for field in state}
                own = {field for field, mark in marks.items() if mark not in before}
                fresh |= set(marks.values())
                yield from _of_state(saga, variant, (*at, name), states, own)
        before |= fresh


def _levels(machine: Json, at: Where) -> Iterator[tuple[Where, Json]]:
    """Every set of states, those of branches included."""
    yield (*at, "States"), machine["States"]
    for name, state in machine["States"].items():
        for number, branch in enumerate(state.get("Branches", ())):
            yield from _levels(branch, (*at, "States", name, "Branches", number))


def _of_state(
    saga: Saga, variant: str, at: Where, states: Json, own: Collection[str]
) -> Iterator[Mutant]:
    """`own`: the fields to be changed."""
    name = str(at[-1])
    state, numbers = states[name], dict[str, int]()
    seen = [json.dumps(state)]
    for operator, where, new in _changes(saga, list(states), states, state):
        if where[0] not in own or (changed := json.dumps(_changed(state, where, new))) in seen:
            continue
        seen.append(changed)
        numbers[operator] = numbers.get(operator, 0) + 1
        old = _value(state, where)
        yield _mutant(variant, name, operator, numbers[operator], (*at, *where), old, new)


def _mutant(
    variant: str, state: str, operator: str, number: int, where: Where, old: Any, new: Any
) -> Mutant:
    field = ".".join(map(str, where[2 if len(where) > 1 else 0 :]))
    return Mutant(
        room=ROOM,
        module=f"machine.{variant}",
        place=state,
        operator=operator,
        number=number,
        change=f"{state} {field}: {_text(old)} -> {_text(new)}",
        styles=(ORCHESTRATION,),
        variants=(variant,),
        plant=_plant(variant, where, new),
    )


def _text(value: Any) -> str:
    return "nothing" if value is GONE else json.dumps(value)[:110]


def _plant(variant: str, where: Where, new: Any) -> Callable[[ExitStack], None]:
    def define(environment: Environment) -> Json:
        definition = saga_definition(environment)
        return _changed(definition, where, new) if environment.variant == variant else definition

    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.object(orchestration_system, "saga_definition", define))

    return plant


def _changed(document: Json, where: Where, new: Any) -> Json:
    changed = copy.deepcopy(document)
    node: Any = changed
    for step in where[:-1]:
        node = node[step]
    last = where[-1]
    if new is GONE:
        del node[last]
    elif last == "Next" and new is None:
        del node["Next"]
        node["End"] = True
    else:
        node[last] = copy.deepcopy(new)
    return changed


def _value(document: Any, where: Where) -> Any:
    for step in where:
        if isinstance(document, dict) and step not in document:
            return GONE
        document = document[step]
    return document


def _changes(saga: Saga, names: list[str], states: Json, state: Json) -> Iterator[Change]:
    """All changes of one state, field by field."""
    if "Next" in state:
        for target in _elsewhere(names, state["Next"]):
            yield "asl-next", ("Next",), target
        yield "asl-end", ("Next",), None
    if state["Type"] in ("Succeed", "Fail"):
        yield from _of_an_end(names, states, state)
    if "Resource" in state:
        yield from _resources(saga, state)
    yield from _of_payload(saga, state)
    yield from _of_failures(names, state)
    for number, rule in enumerate(state.get("Choices", ())):
        yield from _of_a_rule(names, state, number, rule)
    if "Default" in state:
        yield "asl-default", ("Default",), GONE
        for target in _elsewhere(names, state["Default"]):
            yield "asl-default", ("Default",), target
    for number in range(len(state.get("Branches", ()))):
        yield "asl-branches", ("Branches", number), GONE


def _of_failures(names: list[str], state: Json) -> Iterator[Change]:
    """Of what a task does when its participant does not answer."""
    for number, retrier in enumerate(state.get("Retry", ())):
        yield from _of_a_retrier(("Retry", number), retrier)
    if "Retry" in state:
        yield "asl-retry", ("Retry",), GONE
    for number, catcher in enumerate(state.get("Catch", ())):
        yield from _of_a_catcher(names, ("Catch", number), catcher)
    if "Catch" in state:
        yield "asl-catch", ("Catch",), GONE
    if "TimeoutSeconds" in state:
        yield "asl-timeout", ("TimeoutSeconds",), GONE
        yield "asl-timeout", ("TimeoutSeconds",), 100 * state["TimeoutSeconds"]
        yield "asl-timeout", ("TimeoutSeconds",), 1


def _elsewhere(names: list[str], target: str) -> list[str]:
    """The states before and after this one on the page, and the last one."""
    place = names.index(target)
    found = (names[place - 1], names[(place + 1) % len(names)], names[-1])
    return [name for name in dict.fromkeys(found) if name != target]


def _of_an_end(names: list[str], states: Json, state: Json) -> Iterator[Change]:
    if state["Type"] == "Succeed":
        yield "asl-type", ("Type",), "Fail"
        return
    errors = [other["Error"] for other in states.values() if "Error" in other]
    for error in errors:
        if error != state["Error"]:
            yield "asl-type", ("Error",), error


def _resources(saga: Saga, state: Json) -> Iterator[Change]:
    """The function of the participant that comes next."""
    head, _, service = state["Resource"].rpartition(":")
    services = saga.services
    other = services[(services.index(service) + 1) % len(services)]
    yield "asl-resource", ("Resource",), f"{head}:{other}"


def _of_payload(saga: Saga, state: Json) -> Iterator[Change]:
    parameters = state.get("Parameters", {})
    for key, value in parameters.items():
        yield "asl-parameters", ("Parameters", key), GONE
        others = [v for k, v in parameters.items() if k != key and k.endswith("$")]
        if key.endswith("$") and others:
            yield "asl-parameters", ("Parameters", key), others[0]
            yield "asl-parameters", ("Parameters", key), others[-1]
        elif value in saga.operations:
            same = [o for o in saga.operations if saga.served_by[o] == saga.served_by[value]]
            for other in same:
                if other != value:
                    yield "asl-parameters", ("Parameters", key), other
        elif isinstance(value, int):
            yield "asl-parameters", ("Parameters", key), value + 1
    selector = state.get("ResultSelector", {})
    values = list(selector.values())
    for key, value in selector.items():
        yield "asl-result-selector", ("ResultSelector", key), GONE
        other = values[(values.index(value) + 1) % len(values)]
        yield "asl-result-selector", ("ResultSelector", key), other
    if selector:
        yield "asl-result-selector", ("ResultSelector",), GONE
    if "ResultPath" in state:
        yield from _result_paths(("ResultPath",))


def _result_paths(where: Where) -> Iterator[Change]:
    yield "asl-result-path", where, GONE
    yield "asl-result-path", where, None
    yield "asl-result-path", where, "$.order"
    yield "asl-result-path", where, "$.elsewhere"


def _of_a_retrier(where: Where, retrier: Json) -> Iterator[Change]:
    yield "asl-retry", where, GONE
    yield "asl-retry", (*where, "ErrorEquals"), ["States.Timeout"]
    for name, value in retrier.items():
        if name == "MaxAttempts":
            for other in (0, value - 1, value + 1):
                if other >= 0:
                    yield "asl-retry", (*where, name), other
        elif name in _PACE:
            yield "asl-retry", (*where, name), _PACE[name] * value


def _of_a_catcher(names: list[str], where: Where, catcher: Json) -> Iterator[Change]:
    yield "asl-catch", where, GONE
    yield "asl-catch", (*where, "ErrorEquals"), ["States.Timeout"]
    for target in _elsewhere(names, catcher["Next"]):
        yield "asl-catch", (*where, "Next"), target
    for _, path, new in _result_paths((*where, "ResultPath")):
        yield "asl-catch", path, new


def _of_a_rule(names: list[str], state: Json, number: int, rule: Json) -> Iterator[Change]:
    where = ("Choices", number)
    yield "asl-choice", where, GONE
    for target in _elsewhere(names, rule.get("Next", names[0])):
        if "Next" in rule:
            yield "asl-choice", (*where, "Next"), target
    if "StringEquals" in rule:
        texts = [other.get("StringEquals") for other in state["Choices"]]
        after = texts[(number + 1) % len(texts)]
        yield "asl-choice", (*where, "StringEquals"), after
        yield "asl-choice", (*where, "StringEquals"), f"{rule['StringEquals']}!"
        yield "asl-choice", (*where, "Variable"), "$.answer.message_id"
        yield "asl-choice", (*where, "Variable"), "$.nothing"
