"""Two versions of a saga at once: what a style offers to whoever replaces one part after the other while sagas are on their way."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from kernel.environment import Environment
from kernel.memory_files import Folder
from kernel.participant import Participant
from kernel.participants import Participants
from kernel.ports import SagaSystem

CONDUCTOR = "state machine"
"""The part that a conducted style has beside its services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A running system of which some parts are of the old version and some of the new one.

    `old`, `new`: the same system as customers of either version reach it. `deploy(part)`: replace one service, or the CONDUCTOR, by
    its new version; what the old one had in hand comes again or is finished, as after any restart in that style. `failed`: the
    orders of which an operator sees something that failed, whether or not they ended. `died`: services that went down for good, and why.
    """

    old: SagaSystem
    new: SagaSystem
    participants: Participants
    deploy: Callable[[str], Awaitable[None]]
    failed: Callable[[], Awaitable[set[str]]]
    died: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The two versions of one saga, over the same databases in `folder`."""

    folder: Folder
    old: Environment
    new: Environment

    def before(self, participants: Participants) -> Participants:
        """The new version's participants with the old ones in their places: what only the new version has, nobody serves yet."""
        for name in self.old.saga.services:
            database = participants.by_name[name].database
            participants.by_name[name] = Participant(name, database, self.old)
        return participants

    def replaced(self, participants: Participants, name: str) -> Participant:
        """The new version of a participant, over the old one's database."""
        database = participants.by_name[name].database
        participants.by_name[name] = Participant(name, database, self.new)
        return participants.by_name[name]
