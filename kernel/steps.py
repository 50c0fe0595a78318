"""The rows of a saga: one per step, and the participants that serve them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kernel.database import Transaction
from kernel.errors import UsageError
from kernel.ledger import Decision
from kernel.messages import Command, Event

Rule = Callable[[Any, Command], tuple[Any, Decision]]
"""(record, command) -> (record afterwards, what is decided): a pure function."""


class Business(Protocol):
    """The module of one participant: pure rules, and the rows that they work on."""

    @property
    def SCHEMA(self) -> str:  # noqa: N802 - a constant of the module, as those below
        """The business tables, as SQL that may be run again."""
        ...

    @property
    def TABLES(self) -> tuple[str, ...]:  # noqa: N802
        """Their names."""
        ...

    @property
    def RULES(self) -> dict[type[Command], Rule]:  # noqa: N802
        """Command -> what decides on it."""
        ...

    def load(self, tx: Transaction, command: Command, /, *, tombstoned: bool) -> Any:
        """The record that `command` is about."""
        ...

    def save(self, tx: Transaction, record: Any, command: Command, /, *, wall_s: float) -> None:
        """Write the record back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row: a command, its answers, and what undoes it.

    `refused`: a business refusal; None = there is no reason to refuse. `gave_up`: announced when the retry budget is spent;
    None = the message is parked. `kept`: the undo came after the pivot. `aside`: the saga does not wait for it: an order that ended
    without it is whole.
    """

    command: type[Command]
    service: str
    done: type[Event]
    refused: type[Event] | None = None
    gave_up: type[Event] | None = None
    undo: type[Command] | None = None
    undone: type[Event] | None = None
    kept: type[Event] | None = None
    pivot: bool = False
    aside: bool = False

    @property
    def name(self) -> str:
        """The operation."""
        return self.command.__name__

    def answers(self) -> Iterator[type[Event]]:
        """Every event that the step or its undo may answer."""
        every = (self.done, self.refused, self.gave_up, self.undone, self.kept)
        return (answer for answer in every if answer is not None)


Stage = tuple[Step, ...]
"""Steps that are carried out at the same time."""
Rows = tuple[Step | Stage, ...]
"""The steps of a saga in their order."""


def stages_of(rows: Rows) -> tuple[Stage, ...]:
    """Every step in a stage, alone or with others."""
    return tuple(row if isinstance(row, tuple) else (row,) for row in rows)


def check_rows(saga: str, rows: tuple[Step, ...], served: Mapping[str, Business]) -> None:
    """Raise UsageError that names the row and the reason."""
    if not rows:
        raise UsageError(f"saga {saga}: it has no rows")
    answers = Counter(answer.__name__ for step in rows for answer in step.answers())
    for step in rows:
        where = f"saga {saga}, row {step.name}"
        for kind in (step.command, step.undo):
            if step.service not in served:
                raise UsageError(f"{where}: there is no participant {step.service!r}")
            rules = served[step.service].RULES
            if kind is not None and kind not in rules:
                raise UsageError(
                    f"{where}: participant {step.service!r} does not serve {kind.__name__}"
                )
        if (step.undo is None) != (step.undone is None):
            raise UsageError(f"{where}: undo and undone go together")
        if step.kept and not step.undo:
            raise UsageError(
                f"{where}: {step.kept.__name__} is the answer of an undo that is not there"
            )
        if twice := [a.__name__ for a in step.answers() if answers[a.__name__] > 1]:
            raise UsageError(f"{where}: {twice[0]} is the answer of more than one step")
    commands = Counter(c for s in rows for c in (s.command, s.undo) if c is not None)
    if repeated := [command.__name__ for command, times in commands.items() if times > 1]:
        raise UsageError(f"saga {saga}: {repeated[0]} stands in more than one place of its rows")
    served_here = {c for s in rows for c in (s.command, s.undo)}
    for name, business in served.items():
        if orphans := [c.__name__ for c in business.RULES if c not in served_here]:
            raise UsageError(f"saga {saga}: {name} serves {orphans[0]}, which no row names")
