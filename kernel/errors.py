"""The three kinds of trouble, never mixed: refusal (an event value), failure (here), bug (any other exception)."""

from collections.abc import Iterable
from difflib import get_close_matches


class Failure(Exception):
    """A call did not answer. Retry it only with the same message_id."""


class NotDelivered(Failure):
    """Definite: the effect did not happen."""


class OutcomeUnknown(Failure):
    """Indefinite: the effect may have happened, may still happen, or may not."""


class ConnectionLost(OutcomeUnknown):
    """The connection broke before anything came back: the broker redelivers, an invocation fails."""


class StillParked(Exception):
    """Definite: the message waits for an operator, and nothing but a redrive may wake it.

    `shown`: whether the operator can see it by now; `reason`: why it waits. `mine`: whether it was parked for the same cause, so
    that this is the message that waits, and not that of a second chain.
    """

    def __init__(self, message_id: str, *, reason: str, shown: bool, mine: bool) -> None:
        super().__init__(message_id)
        self.reason, self.shown, self.mine = reason, shown, mine


class UnreadableMessage(Exception):
    """Definite: the message cannot be understood, nothing was done, and a retry cannot help."""


class ParticipantCrashed(Exception):
    """The participant's process is gone in the middle of its work: no ack, no answer."""


class UsageError(Exception):
    """The user asked for something impossible. The text says what is wrong and what to do."""


def first(error: BaseException) -> BaseException:
    """The first error of a group of them, however deep; an error that is no group is itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def nearest(name: str, known: Iterable[str]) -> str:
    """Which known name is meant by one that is unknown, as the end of a sentence; "" if none is like it."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f", did you mean {found[0]!r}?" if found else ""
