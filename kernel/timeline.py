"""What some evidence tells of one order: the calls of participants that it shows, and what stopped them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kernel.saga import Saga

Evidence = Mapping[str, list[dict[str, Any]]]
"""Source -> what it has about one order; `definition` is about all of them."""
PARKED = "parked: "
"""How a log line begins that is about no call, but about a message left to an operator."""
REPEATED = ", answered again"
"""How a log line ends whose answer is the first one of an earlier call: the inbox knew it, and nothing was done."""
CUSTOMER = "customer"
"""Cause of the first call of a saga."""
OPEN = "OPEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a participant. Times in seconds since the epoch; None = not told.

    `answer`: the name of the event that it answered, "" = none is seen; `failure`: why there was none, or why one that was given did not arrive, "" = not told.
    `cause`: the name of the message that led to it, "" = not known. `repeated`: the answer is that of an earlier call, and nothing
    was done; False where the evidence cannot tell.
    """

    operation: str
    service: str
    began_s: float | None
    ended_s: float | None
    answer: str = ""
    failure: str = ""
    cause: str = ""
    repeated: bool = False

    @property
    def at_s(self) -> float:
        """When it is known to have been under way, or over."""
        return self.ended_s or self.began_s or 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The saga of one order as it can be rebuilt.

    `calls`: in order of time. `parked_at`: the operation that waits for an operator, "" = none that is seen; `parked_why`,
    `parked_id`: what is told about it.
    """

    saga: Saga = field(compare=False, repr=False)
    order_id: str
    calls: tuple[Call, ...]
    parked_at: str = ""
    parked_why: str = ""
    parked_id: str = ""
    read: dict[str, int] = field(default_factory=dict)
    """What had to be read for it: `sources`, `records`, `bytes`."""

    def answered(self) -> list[Call]:
        """The first answered call of each operation: what the saga did."""
        first: dict[str, Call] = {}
        for call in self.calls:
            if call.answer:
                first.setdefault(call.operation, call)
        return list(first.values())

    def acts(self) -> dict[str, int]:
        """Operation -> how often it was done, as far as is seen: answers that were only repeated do not count."""
        return Counter(call.operation for call in self.calls if call.answer and not call.repeated)

    def nodes(self) -> set[tuple[str, str]]:
        """(operation, answer) of everything that the saga did."""
        return {(call.operation, call.answer) for call in self.answered()}

    def edges(self) -> set[tuple[str, str]]:
        """(cause, operation): what happened before what, and because of what."""
        return {(call.cause, call.operation) for call in self.answered() if call.cause}

    def status(self) -> str:
        """CONFIRMED, CANCELLED, REJECTED or OPEN."""
        ends = self.saga.ends
        told = [ends[call.answer] for call in self.calls if call.answer in ends]
        return told[-1] if told else OPEN

    def parked_now(self) -> str:
        """The operation that still waits for an operator; "" once it was answered after all, or the saga is over."""
        answered = any(c.answer for c in self.calls if c.operation == self.parked_at)
        return "" if answered or self.status() != OPEN else self.parked_at

    def last(self) -> Call | None:
        """The last thing that the saga did: what led to nothing else; of several the latest.

        Not simply the latest: a service may log what it did after the next one has begun.
        """
        done = self.answered()
        causes = {call.cause for call in done}
        ends = [call for call in done if call.answer not in causes] or done
        return max(ends, key=lambda call: call.at_s) if ends else None


def logged_calls(
    saga: Saga, log: Iterable[dict[str, Any]], cause: Callable[[dict[str, Any]], str]
) -> tuple[Call, ...]:
    """The calls in services' logs, in order of time. `cause`: what led to the call of a line."""
    return tuple(
        Call(
            operation=line["operation"],
            service=line["service"],
            began_s=None,
            ended_s=line["wall_s"],
            cause=cause(line),
            **_outcome(saga, line["outcome"]),
        )
        for line in sorted(log, key=lambda line: float(line["wall_s"]))
        if not line["outcome"].startswith(PARKED)
    )


def logged_parking(log: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What the last log line about parking says, as fields of a Timeline; nothing if there is none."""
    lines = [line for line in log if line["outcome"].startswith(PARKED)]
    if not lines:
        return {}
    return {
        "parked_at": lines[-1]["operation"],
        "parked_why": lines[-1]["outcome"].removeprefix(PARKED),
    }


def answer_in(outcome: str) -> str:
    """The answer in a log line's outcome."""
    return outcome.removesuffix(REPEATED)


def _outcome(saga: Saga, told: str) -> dict[str, Any]:
    """An outcome as `answer` and `repeated`, or as `failure`, of a call."""
    answer = answer_in(told)
    if answer in saga.events:
        return {"answer": answer, "repeated": answer != told}
    return {"failure": told}


def name_of(message_id: str) -> str:
    """The name in `order_id:name`."""
    return message_id.rpartition(":")[2]
