"""Mutants of a choreography's page: a line dropped, redirected or doubled, a refusal taken for something else, a join that does not wait."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import UnionType
from typing import Any
from unittest.mock import patch

from kernel.messages import Command
from kernel.reactions import Doing, Reactions
from kernel.saga import Saga
from scenarios.campaigns.mutants.mutant import Mutant
from scenarios.catalog.bug import CHOREOGRAPHY

OPERATORS = (
    "reaction-dropped",
    "reaction-redirected",
    "reaction-doubled",
    "reaction-wrong-on-refusal",
    "reaction-not-joined",
)
ROOM = "reactions"
Change = tuple[str, Reactions, str]
"""(operator, the whole page, the change in words)."""


def mutants_of_reactions(saga: Saga) -> Iterator[Mutant]:
    """Every mutant of every variant's page; a line that an earlier variant has as well is changed there only."""
    before: list[Reactions] = []
    for variant, page in saga.reactions.items():
        own = {
            heard: doing
            for heard, doing in page.items()
            if not any(heard in other and other[heard] == doing for other in before)
        }
        numbers: dict[tuple[str, str], int] = {}
        for place, (operator, changed, change) in _changes(saga, page, own):
            number = numbers[place, operator] = numbers.get((place, operator), 0) + 1
            yield Mutant(
                room=ROOM,
                module=f"{ROOM}.{variant}",
                place=place,
                operator=operator,
                number=number,
                change=change,
                styles=(CHOREOGRAPHY,),
                variants=(variant,),
                plant=_plant(page, changed),
            )
        before.append(page)


def _plant(page: Reactions, changed: Reactions) -> Callable[[ExitStack], None]:
    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.dict(page, changed, clear=True))

    return plant


def _changes(saga: Saga, page: Reactions, own: Reactions) -> Iterator[tuple[str, Change]]:
    for heard, doing in own.items():
        lines = doing if isinstance(doing, list) else [doing]
        name = _heard(heard)
        for place, line in enumerate(lines):
            rest = lines[:place] + lines[place + 1 :]
            without = {k: v for k, v in page.items() if k is not heard}
            changed: Reactions = without | {heard: rest} if rest else without
            told = f"{name}: {_words(line)}"
            yield name, ("reaction-dropped", changed, f"{told} -> nothing")
            for other in _others(saga, line):
                instead = page | {heard: [*lines[:place], other, *lines[place + 1 :]]}
                yield name, ("reaction-redirected", instead, f"{told} -> {_words(other)}")
            for other in _further(saga, line, lines):
                more = page | {heard: [*lines, other]}
                yield name, ("reaction-doubled", more, f"{told} -> and {_words(other)} as well")
        if isinstance(heard, tuple):
            for need in heard:
                if need not in page:
                    alone: Any = {k: v for k, v in page.items() if k is not heard} | {need: doing}
                    yield name, ("reaction-not-joined", alone, f"{name} -> {_heard(need)} alone")
    yield from _refusals(saga, page, own)


def _refusals(saga: Saga, page: Reactions, own: Reactions) -> Iterator[tuple[str, Change]]:
    """What was refused or kept leads where another answer of the same step leads."""
    for step in saga.steps:
        for answer in (step.refused, step.kept):
            if answer is None or answer not in own:
                continue
            for taken_for in (step.done, step.gave_up, step.undone):
                if taken_for and taken_for in page and page[taken_for] != page[answer]:
                    wrong = page | {answer: page[taken_for]}
                    change = f"{answer.__name__} -> as {taken_for.__name__}"
                    yield answer.__name__, ("reaction-wrong-on-refusal", wrong, change)


def _others(saga: Saga, line: Doing) -> Iterator[Doing]:
    """The operations before and after it in the saga's order, the others of the same service; and a service that does not serve it."""
    service, command = line
    commands = _commands(saga)
    names = list(commands)
    place = names.index(command.__name__)
    near = [names[place - 1], names[(place + 1) % len(names)]]
    same = [name for name in names if saga.served_by[name] == service]
    for name in dict.fromkeys([*near, *same]):
        if name != command.__name__:
            yield saga.served_by[name], commands[name]
    services = saga.services
    yield services[(services.index(service) + 1) % len(services)], command


def _further(saga: Saga, line: Doing, lines: list[Doing]) -> Iterator[Doing]:
    """The next operation of another service, and the pivot: what was done before, an inbox would only recall."""
    commands = _commands(saga)
    names = list(commands)
    taken = {service for service, _ in lines}
    pivot = [step.name for step in saga.steps if step.pivot]
    after = names[names.index(line[1].__name__) + 1 :]
    free = [name for name in after if saga.served_by[name] not in taken][:1]
    for name in dict.fromkeys((*free, *pivot)):
        if saga.served_by[name] not in taken:
            yield saga.served_by[name], commands[name]


def _commands(saga: Saga) -> dict[str, type[Command]]:
    """Operation -> command, in the saga's order."""
    found = {step.name: step.command for step in saga.steps}
    return found | {step.undo.__name__: step.undo for step in reversed(saga.steps) if step.undo}


def _heard(heard: Any) -> str:
    if isinstance(heard, tuple):
        return "+".join(map(_heard, heard))
    kinds = heard.__args__ if isinstance(heard, UnionType) else (heard,)
    return "|".join(kind.__name__ for kind in kinds)


def _words(line: Doing) -> str:
    return f"{line[0]} does {line[1].__name__}"
