"""The two pages of a saga, written by hand, against its rows: what differs, in words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kernel.saga import Saga

END = "the end"
MOST_STATES = 100
"""Between one task and the next; more is a circle of Choices."""


def page_differences(saga: Saga) -> list[str]:
    """Every sentence about a page that says something else than the rows; empty if both pages of every variant agree."""
    return [
        f"{variant}, {page}: {what}"
        for variant in saga.variants
        for page, found in (
            ("reactions", reaction_differences(saga, variant)),
            ("state machine", state_differences(saga, variant)),
        )
        for what in found
    ]


def derived_reactions(saga: Saga, variant: str) -> dict[str, tuple[str, str]]:
    """Message -> (service, operation): what the rows say must follow it."""
    rows = saga.variants[variant]
    found = {rows[0].name: (rows[0].service, rows[0].name)}
    for number, step in enumerate(rows):
        undone_next = next((s for s in reversed(rows[:number]) if s.undo), None)
        onward = rows[number + 1] if number + 1 < len(rows) else None
        if onward:
            found[step.done.__name__] = (onward.service, onward.name)
            if step.kept:
                found[step.kept.__name__] = (onward.service, onward.name)
        if undone_next and undone_next.undo:
            back = (undone_next.service, undone_next.undo.__name__)
            for answer in (step.refused, step.undone):
                if answer:
                    found[answer.__name__] = back
        if step.gave_up and step.undo:
            found[step.gave_up.__name__] = (step.service, step.undo.__name__)
        if step.pivot and step.undo:
            found[saga.expired.__name__] = (step.service, step.undo.__name__)
    return found


def reaction_differences(saga: Saga, variant: str) -> Iterator[str]:
    """What the page of reactions says otherwise than the rows."""
    page = {
        heard.__name__: (service, command.__name__)
        for heard, (service, command) in saga.reactions[variant].items()
    }
    rows = derived_reactions(saga, variant)
    for heard in sorted(rows.keys() | page.keys()):
        wanted, found = rows.get(heard), page.get(heard)
        if found is None and wanted:
            yield f"nobody reacts to {heard}; the rows say that {wanted[0]} does {wanted[1]}"
        elif wanted is None and found:
            yield f"{found[0]} does {found[1]} after {heard}; the rows know no such reaction"
        elif found and wanted and found != wanted:
            yield f"after {heard} {found[0]} does {found[1]}; the rows say that {wanted[0]} does {wanted[1]}"


def state_differences(saga: Saga, variant: str) -> Iterator[str]:
    """What the state machine does otherwise than the rows."""
    path = saga.state_machines[variant]
    states: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["States"]
    tasks = {name for name, state in states.items() if state["Type"] == "Task"}
    for name in sorted(tasks - set(saga.operations)):
        yield f"the task {name} is no operation of the rows"
    for name in sorted(set(saga.operations) - tasks):
        yield f"there is no task {name}"
    leads = derived_reactions(saga, variant)
    for step in saga.variants[variant]:
        undo = step.undo.__name__ if step.undo else ""
        own = {step.name: (step.done, step.refused), undo: (step.undone, step.kept)}
        for name, answers in own.items():
            if name not in tasks:
                continue
            for answer in filter(None, answers):
                wanted = leads.get(answer.__name__, ("", END))[1]
                found = _after(states, name, answer.__name__)
                if found != wanted:
                    yield f"{name} answered {answer.__name__} leads to {found}; the rows say {wanted}"
            caught = undo if name == step.name and step.gave_up else ""
            yield from _failure_differences(states, name, caught)


def _failure_differences(states: Mapping[str, Any], name: str, undo: str) -> Iterator[str]:
    """`undo`: where a failure of this task must lead; "" = it must not be caught."""
    wanted = undo or END
    for rule in states[name].get("Catch", []):
        if not undo:
            yield f"{name} has a Catch to {rule['Next']}; the rows say that it is parked"
        elif rule["Next"] != undo:
            yield f"{name} is caught by {rule['Next']}; the rows say {undo}"
    if undo and "Catch" not in states[name]:
        yield f"{name} has no Catch; the rows say {undo}"
    found = _after(states, name, "")
    follows = states[states[name]["Next"]]["Type"] if "Next" in states[name] else ""
    if follows == "Choice" and found != wanted:
        yield f"{name} with an answer that nobody expects leads to {found}; the rows say {wanted}"


def _after(states: Mapping[str, Any], task: str, answer: str) -> str:
    """The next task once this one has answered, or END."""
    at = states[task].get("Next", "")
    for _ in range(MOST_STATES):
        state = states.get(at)
        if state is None or state["Type"] in ("Succeed", "Fail"):
            return END
        if state["Type"] == "Task":
            return str(at)
        rules = [
            rule["Next"] for rule in state.get("Choices", ()) if rule.get("StringEquals") == answer
        ]
        at = rules[0] if rules else state.get("Default", state.get("Next", ""))
    return END
