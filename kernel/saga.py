"""A saga as a value: one row per step, from which everything else about its shape is derived.

The reactions and the state machine stay written by hand, because they are the lesson; `pages.py` compares them with the rows.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from kernel.database import Transaction
from kernel.errors import UsageError
from kernel.ledger import Decision
from kernel.messages import Codec, Command, Event, Message
from kernel.orders import CANCELLED, CONFIRMED, REJECTED

Reactions = dict[type[Message], tuple[str, type[Command]]]
"""When this message is heard, that service carries out that command."""
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
    None = the message is parked. `kept`: the undo came after the pivot.
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

    @property
    def name(self) -> str:
        """The operation."""
        return self.command.__name__

    def answers(self) -> Iterator[type[Event]]:
        """Every event that the step or its undo may answer."""
        every = (self.done, self.refused, self.gave_up, self.undone, self.kept)
        return (answer for answer in every if answer is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A resource of which there is a limited number: the table of units, and the table of who holds them.

    `table` has the columns `item`, initial and free; `held`: column of `holds` -> the sign with which it counts.
    """

    table: str
    item: str
    holds: str
    held: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a participant keeps a balance of, and what an ended saga must leave there.

    `due(order)`: the net change of a confirmed order, in `unit`; every other ended order leaves 0. `rows`: the business table
    whose columns, with these signs, add up to an order's net change. `exposure`: the name under which it is timed how long
    the resource is at risk, "" = it is not. `shown(net)`: the balance in words.
    """

    participant: str
    name: str
    unit: str
    due: Callable[[Any], int]
    table: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    pool: Pool | None = None
    exposure: str = ""
    shown: Callable[[int], str] = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What customers ask for.

    `order(index, n, chance, item)`: the order of that index of n. `refusable(order, operation)`: the order, changed so that
    this step of it is refused: by what is asked for, never by a switch in a participant. `stock`: participant -> what writes
    the initial units of a run, item -> units.
    """

    order: Callable[..., Any]
    refusable: Callable[[Any, str], Any]
    item: str
    stock: Mapping[str, Callable[[Transaction, Mapping[str, int]], None]] = field(
        default_factory=dict
    )


def plainly(order: Any) -> str:
    """An order in words, where a saga has none of its own: its fields, without its name."""
    told = ((f.name, getattr(order, f.name)) for f in fields(order) if f.name != "order_id")
    return ", ".join(f"{name} {value}" for name, value in told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How a saga is told to people.

    `wanted(order)`: what the customer asks for. `effects`: (operation, effect) -> a sentence; {units} and {money} stand for
    the change. Without a sentence the effect is named plainly.
    """

    wanted: Callable[[Any], str] = plainly
    effects: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Saga:
    """One saga, handed in wherever something depends on which saga it is.

    `variants`: the rows by variant, the default first; variants have the same rows in another order. `expired`: the event
    that announces the saga deadline. Raise UsageError if the rows contradict each other.
    """

    name: str
    order: type[Any]
    variants: Mapping[str, tuple[Step, ...]]
    expired: type[Event]
    participants: Mapping[str, Business]
    reactions: Mapping[str, Reactions]
    state_machines: Mapping[str, Path]
    resources: tuple[Resource, ...]
    workload: Workload
    words: Words = field(default_factory=Words)
    where: str = ""
    """The folder it was loaded from, if it is a user's own."""

    def __post_init__(self) -> None:
        """Refuse rows that contradict each other."""
        for rows in self.variants.values():
            _check_rows(self.name, rows, self.participants)
        first, *others = self.variants.values()
        if any(set(rows) != set(first) for rows in others):
            raise UsageError(f"saga {self.name}: its variants do not have the same rows")

    @property
    def address(self) -> str:
        """What `--saga` takes: its name, or its folder."""
        return self.where or self.name

    @cached_property
    def variant(self) -> str:
        """The default variant."""
        return next(iter(self.variants))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The rows of the default variant."""
        return self.variants[self.variant]

    def order_of(self, variant: str) -> tuple[str, ...]:
        """The forward operations of a variant, in their order."""
        return tuple(step.name for step in self.variants[variant])

    @cached_property
    def opener(self) -> str:
        """The participant that opens a saga and knows its status."""
        return self.steps[0].service

    @cached_property
    def opening(self) -> type[Command]:
        """The command with which a customer starts a saga."""
        return self.steps[0].command

    @cached_property
    def ending(self) -> Step:
        """The last step."""
        return self.steps[-1]

    @cached_property
    def services(self) -> tuple[str, ...]:
        """The participants, in the order in which the rows name them."""
        return tuple(dict.fromkeys(step.service for step in self.steps))

    @cached_property
    def forward(self) -> tuple[str, ...]:
        """The forward operations, in their order."""
        return self.order_of(self.variant)

    @cached_property
    def undo(self) -> tuple[str, ...]:
        """The compensations, in the order in which they run."""
        return tuple(s.undo.__name__ for s in reversed(self.steps) if s.undo)

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """Every operation."""
        return self.forward + self.undo

    @cached_property
    def undoes(self) -> dict[str, str]:
        """Compensation -> the step that it undoes."""
        return {s.undo.__name__: s.name for s in reversed(self.steps) if s.undo}

    @cached_property
    def served_by(self) -> dict[str, str]:
        """Operation -> the participant that carries it out."""
        found = {s.name: s.service for s in self.steps}
        return found | {s.undo.__name__: s.service for s in self.steps if s.undo}

    @cached_property
    def answers(self) -> dict[str, tuple[str, ...]]:
        """Operation -> what may be answered: done first, then refused, then given up."""
        found = {s.name: _names(s.done, s.refused, s.gave_up) for s in self.steps}
        return found | {s.undo.__name__: _names(s.undone, s.kept) for s in self.steps if s.undo}

    @cached_property
    def refused(self) -> frozenset[str]:
        """Every answer that says no for a business reason."""
        return frozenset(s.refused.__name__ for s in self.steps if s.refused)

    @cached_property
    def refusable(self) -> frozenset[str]:
        """Every step that may be refused."""
        return frozenset(s.name for s in self.steps if s.refused)

    @cached_property
    def gave_up(self) -> dict[str, type[Event]]:
        """Operation -> what is announced when its retry budget is spent. Anything else is parked."""
        return {s.name: s.gave_up for s in self.steps if s.gave_up}

    @cached_property
    def given_up(self) -> frozenset[str]:
        """Every answer that says that a retry budget was spent."""
        return frozenset(event.__name__ for event in self.gave_up.values())

    @cached_property
    def may_park(self) -> frozenset[str]:
        """Operations that have nowhere else to go when their budget is spent ("" = an unreadable message)."""
        return frozenset({"", *self.operations}) - self.gave_up.keys()

    @cached_property
    def pivots(self) -> frozenset[str]:
        """The pivot and what comes after it: once one is done, nothing is undone."""
        after = next((i for i, s in enumerate(self.steps) if s.pivot), len(self.steps) - 1)
        return frozenset(s.name for s in self.steps[after:])

    @cached_property
    def ends(self) -> dict[str, str]:
        """Answer -> the order's status, which is final."""
        first = self.steps[0]
        found = {self.ending.done.__name__: CONFIRMED}
        if first.undone:
            found[first.undone.__name__] = CANCELLED
        if first.refused:
            found[first.refused.__name__] = REJECTED
        return found

    @cached_property
    def ended_by(self) -> dict[str, str]:
        """Final status -> the operation that ends a saga so."""
        first = self.steps[0]
        found = {CONFIRMED: self.ending.name, REJECTED: first.name}
        return found | ({CANCELLED: first.undo.__name__} if first.undo else {})

    @cached_property
    def events(self) -> frozenset[str]:
        """The name of every event."""
        return frozenset(a.__name__ for s in self.steps for a in s.answers()) | {
            self.expired.__name__
        }

    @cached_property
    def codec(self) -> Codec:
        """Its messages as JSON, both ways."""
        commands = (c for s in self.steps for c in (s.command, s.undo) if c is not None)
        answers = (answer for s in self.steps for answer in s.answers())
        return Codec(self.order, [*commands, *answers, self.expired])

    def leads_to(self, variant: str) -> dict[str, str]:
        """Message -> the operation that it leads to, in either style."""
        reactions = self.reactions[variant].items()
        return {heard.__name__: command.__name__ for heard, (_, command) in reactions}

    def heard_by(self, service: str, variant: str) -> tuple[str, ...]:
        """The names of the messages that `service` reacts to: its queue's bindings."""
        reactions = self.reactions[variant].items()
        return tuple(heard.__name__ for heard, (name, _) in reactions if name == service)

    def wanted(self, order: Any, *, confirmed: bool) -> dict[str, int]:
        """Participant -> the net change that an ended order must leave there."""
        return {r.participant: r.due(order) if confirmed else 0 for r in self.resources}

    def turning(self) -> Step:
        """The last step whose refusal undoes all steps before it: how a sweep drives a saga to its compensations."""
        return [step for step in self.steps if step.refused][-1]

    def undoes_after(self, refused: str) -> tuple[str, ...]:
        """The compensations that run when this step is refused, in their order."""
        before = self.steps[: self.forward.index(refused)]
        return tuple(step.undo.__name__ for step in reversed(before) if step.undo)

    def pools(self) -> list[tuple[str, Pool]]:
        """(participant, pool) of every resource that is limited."""
        return [(r.participant, r.pool) for r in self.resources if r.pool]

    def acting(self, participant: str) -> Step:
        """The step by which a participant's resource changes: the first one of its own that can be undone."""
        return next(s for s in self.steps if s.service == participant and s.undo)


def _names(*answers: type[Event] | None) -> tuple[str, ...]:
    return tuple(answer.__name__ for answer in answers if answer is not None)


def _check_rows(saga: str, rows: tuple[Step, ...], served: Mapping[str, Business]) -> None:
    """Raise UsageError that names the row and the reason."""
    if not rows:
        raise UsageError(f"saga {saga}: it has no rows")
    answers = Counter(answer.__name__ for step in rows for answer in step.answers())
    for step in rows:
        where = f"saga {saga}, row {step.name}"
        for kind in (step.command, step.undo):
            rules = served[step.service].RULES if step.service in served else {}
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
