"""An inbox and an outbox that a saga's folder supplies, in place of the kernel's: what the labs have students write.

A module with these names is handed in as `Saga(inbox=...)` or `Saga(outbox=...)`. Everything else stays the kernel's: when they
are called, the transaction, the ledger, tombstones, parked messages, the relay. A saga that supplies none pays nothing.
"""

from typing import Any, Protocol

from kernel import messages, parked
from kernel.database import Transaction
from kernel.guards import Guards
from kernel.inbox import Inbox
from kernel.ledger import Decision, Ledger
from kernel.messages import Codec, Command, Event
from kernel.outbox import Key, Outbox, Unpublished
from kernel.ports import Clock

IN_MEMORY_S = 0.01
"""Time between a commit and its message, in which a process can die: with a supplied outbox only. Our relay is too quick to be hit there."""


class OwnInbox(Protocol):
    """The answers that a participant has given. Both functions are called inside the transaction of the command's effect."""

    @property
    def SCHEMA(self) -> str:  # noqa: N802 - a constant of the module
        """Its tables, as SQL that may be run again; each participant gets them in its own database."""
        ...

    def recall(self, tx: Transaction, command: Command, /) -> str | None:
        """The answer that was given to this command, as it was remembered; None = the command is new."""
        ...

    def remember(self, tx: Transaction, command: Command, answer: str, /) -> None:
        """Keep the answer to this command, which has just had its effect."""
        ...


class OwnOutbox(Protocol):
    """The events that a participant has to publish. All of it is called inside a transaction."""

    @property
    def SCHEMA(self) -> str:  # noqa: N802 - a constant of the module
        """As of an inbox."""
        ...

    def put(self, tx: Transaction, message_id: str, message: str, /) -> None:
        """Keep an event, in the transaction of its effect. It is published once after the commit, from memory."""
        ...

    def waiting(self, tx: Transaction, /) -> list[str]:
        """The messages that were put and are not known to be published, oldest first. Asked for when the participant starts."""
        ...

    def published(self, tx: Transaction, message_id: str, /) -> None:
        """The broker has confirmed this event."""
        ...


class SuppliedInbox(Inbox):
    """An inbox that asks the folder's own. The kernel's table is still written: it is evidence, and nobody recalls from it."""

    def __init__(self, own: OwnInbox, *, guards: Guards, codec: Codec, **others: Any) -> None:
        super().__init__(guards=guards, codec=codec, **others)
        self._own, self._on, self._reads = own, guards.inbox, codec

    def recall(self, tx: Transaction, command: Command) -> Event | None:
        """See Inbox."""
        parked.check(tx, command)
        text = self._own.recall(tx, command) if self._on else None
        return None if text is None else self._reads.event(text)

    def remember(self, tx: Transaction, command: Command, decision: Decision) -> Event:
        """See Inbox."""
        answer = super().remember(tx, command, decision)
        self._own.remember(tx, command, messages.to_bytes(answer).decode())
        return answer


class SuppliedOutbox(Outbox):
    """An outbox that keeps its events in the folder's own."""

    def __init__(self, own: OwnOutbox, *, guards: Guards, codec: Codec, clock: Clock) -> None:
        super().__init__(guards=guards, codec=codec, clock=clock)
        self._own, self._on, self._reads, self._time = own, guards.outbox, codec, clock

    def enqueue(self, tx: Transaction, event: Event, text: str = "") -> None:
        """See Outbox."""
        if self._on:
            self._own.put(tx, event.message_id, text or messages.to_bytes(event).decode())
            tx.announce(self._unpublished(event, pause_s=IN_MEMORY_S))

    def left_behind(self, tx: Transaction) -> list[Unpublished]:
        """See Outbox."""
        return [self._unpublished(self._reads.event(text)) for text in self._own.waiting(tx)]

    def mark_published(self, tx: Transaction, keys: list[Key]) -> None:
        """See Outbox."""
        for key in keys:
            self._own.published(tx, str(key))

    def unpublished(self, tx: Transaction) -> int:
        """See Outbox."""
        return len(self._own.waiting(tx))

    def _unpublished(self, event: Event, *, pause_s: float = 0.0) -> Unpublished:
        wall_s = self._time.wall_s()
        return Unpublished(seq=event.message_id, event=event, wall_s=wall_s, pause_s=pause_s)


def open_inbox(
    own: OwnInbox | None, *, codec: Codec, guards: Guards, ledger: Ledger, outbox: Outbox
) -> Inbox:
    """The inbox of one participant: the kernel's if the saga supplies none."""
    if own is None:
        return Inbox(codec=codec, guards=guards, ledger=ledger, outbox=outbox)
    return SuppliedInbox(own, codec=codec, guards=guards, ledger=ledger, outbox=outbox)


def open_outbox(own: OwnOutbox | None, *, codec: Codec, guards: Guards, clock: Clock) -> Outbox:
    """The outbox of one participant: the kernel's if the saga supplies none."""
    if own is None:
        return Outbox(codec=codec, guards=guards, clock=clock)
    return SuppliedOutbox(own, codec=codec, guards=guards, clock=clock)
