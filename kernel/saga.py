"""A saga as a value: one row per step, from which everything else about its shape is derived.

The reactions and the state machine stay written by hand, because they are the lesson; `saga check` (scenarios/checks/) compares them
with the rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from kernel.customers import Words, Workload
from kernel.errors import UsageError
from kernel.messages import Codec, Command, Event, Message
from kernel.orders import CANCELLED, CONFIRMED, REJECTED
from kernel.reactions import Reaction, Reactions, reactions_of
from kernel.resources import Pool, Resource
from kernel.steps import Business, Rows, Stage, Step, check_rows, stages_of
from kernel.supplied import OwnInbox, OwnOutbox


@dataclass(frozen=True, kw_only=True)
class Saga:
    """One saga, handed in wherever something depends on which saga it is.

    `accepts`: step -> whether an order gives its participant no reason to refuse, apart from what is sold out; of the others nothing is known.
    `variants`: the rows by variant, the default first; variants have the same rows in another order. Rows in a tuple of their own
    are carried out at the same time. `expired`: the event that announces the saga deadline. Raise UsageError if the rows contradict each other.
    """

    name: str
    order: type[Any]
    variants: Mapping[str, Rows]
    expired: type[Event]
    participants: Mapping[str, Business]
    reactions: Mapping[str, Reactions]
    state_machines: Mapping[str, Path]
    resources: tuple[Resource, ...]
    workload: Workload
    accepts: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)
    words: Words = field(default_factory=Words)
    inbox: OwnInbox | None = None
    """Its own, in place of the kernel's."""
    outbox: OwnOutbox | None = None
    where: str = ""
    """The folder it was loaded from, if it is a user's own."""

    def __post_init__(self) -> None:
        """Refuse rows that contradict each other."""
        for variant in self.variants:
            check_rows(self.name, self.rows(variant), self.participants)
        first, *others = (set(self.rows(variant)) for variant in self.variants)
        if any(rows != first for rows in others):
            raise UsageError(f"saga {self.name}: its variants do not have the same rows")

    @property
    def address(self) -> str:
        """What `--saga` takes: its name, or its folder."""
        return self.where or self.name

    @property
    def supplies(self) -> tuple[OwnInbox | OwnOutbox, ...]:
        """What it has in place of the kernel's."""
        return tuple(own for own in (self.inbox, self.outbox) if own is not None)

    @cached_property
    def variant(self) -> str:
        """The default variant."""
        return next(iter(self.variants))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The rows of the default variant."""
        return self.rows(self.variant)

    def stages(self, variant: str) -> tuple[Stage, ...]:
        """The steps of a variant that are carried out at the same time, one tuple after the other."""
        return stages_of(self.variants[variant])

    def rows(self, variant: str) -> tuple[Step, ...]:
        """The steps of a variant, one after the other."""
        return tuple(step for stage in self.stages(variant) for step in stage)

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
        return tuple(step.name for step in self.steps)

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
    def kept(self) -> frozenset[str]:
        """Every answer of a compensation that came too late."""
        return frozenset(s.kept.__name__ for s in self.steps if s.kept)

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

    def reacting(self, variant: str) -> tuple[Reaction, ...]:
        """The choreography's page, line by line."""
        return tuple(reactions_of(self.reactions[variant]))

    def leads_to(self, variant: str) -> dict[str, tuple[str, ...]]:
        """Message -> the operations that it leads to, in either style: alone, or with others."""
        found: dict[str, tuple[str, ...]] = {}
        for reaction in self.reacting(variant):
            for kind in reaction.hears():
                found[kind.__name__] = (*found.get(kind.__name__, ()), reaction.command.__name__)
        return found

    def heard_by(self, service: str, variant: str) -> tuple[str, ...]:
        """The names of the messages that `service` reacts to: its queue's bindings."""
        mine = (r for r in self.reacting(variant) if r.service == service)
        return tuple(dict.fromkeys(kind.__name__ for r in mine for kind in _in_order(r.hears())))

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
        """The step by which a participant's resource changes: the first one of its own that can be undone, or that it has."""
        own = [s for s in self.steps if s.service == participant]
        return next((s for s in own if s.undo), own[0])


def _names(*answers: type[Event] | None) -> tuple[str, ...]:
    return tuple(answer.__name__ for answer in answers if answer is not None)


def _in_order(kinds: frozenset[type[Message]]) -> list[type[Message]]:
    return sorted(kinds, key=lambda kind: kind.__name__)
