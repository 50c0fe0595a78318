"""The usual ways to plant a bug in a saga: in its reactions, in its state machine, in a participant's inbox."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from kernel.database import Transaction
from kernel.inbox import Inbox
from kernel.messages import Command, Event, Message
from kernel.reactions import Reactions
from orchestration import saga_definition as definitions
from orchestration import system as orchestration_system
from scenarios.catalog.bug import Plant, replaced

_define, _recall = definitions.saga_definition, Inbox.recall
States = dict[str, Any]
Change = Callable[[States], None]


def together(*plants: Plant) -> Plant:
    """All of them: the same bug in both styles."""

    def plant(stack: ExitStack) -> None:
        for one in plants:
            one(stack)

    return plant


def reacting(page: Reactions, changes: Reactions) -> Plant:
    """Some reactions are others."""

    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.dict(page, changes))

    return plant


def without_reaction(page: Reactions, heard: type[Message]) -> Plant:
    """Nobody reacts to this."""

    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.dict(page))
        del page[heard]

    return plant


def machine(change: Change) -> Plant:
    """The state machine, changed before it is created."""

    def define(*arguments: Any) -> dict[str, Any]:
        definition = _define(*arguments)
        change(definition["States"])
        return definition

    return replaced(orchestration_system, "saga_definition", define)


def route(state: str, answer: str, to: str) -> Change:
    """A Choice that sends this answer elsewhere."""

    def change(states: States) -> None:
        rule = next(r for r in states[state]["Choices"] if r["StringEquals"] == answer)
        rule["Next"] = to

    return change


def routes(*changes: Change) -> Change:
    """Several changes of one state machine."""

    def change(states: States) -> None:
        for one in changes:
            one(states)

    return change


def leads(state: str, to: str) -> Change:
    """A state that goes on elsewhere, whatever the answer."""

    def change(states: States) -> None:
        states[state]["Next"] = to

    return change


def catching(operation: str, to: str, *, errors: str = "States.ALL") -> Change:
    """A task of which these errors, and only these, lead to a state."""

    def change(states: States) -> None:
        caught = {"ErrorEquals": [errors], "ResultPath": "$.failure", "Next": to}
        states[operation]["Catch"] = [caught]

    return change


def without_catch(operation: str) -> Change:
    """A task of which no error is caught."""

    def change(states: States) -> None:
        del states[operation]["Catch"]

    return change


def forgetting(*operations: type[Command]) -> Plant:
    """Every inbox acts again on these."""

    def recall(self: Inbox, tx: Transaction, command: Command) -> Event | None:
        return None if type(command) in operations else _recall(self, tx, command)

    return replaced(Inbox, "recall", recall)
