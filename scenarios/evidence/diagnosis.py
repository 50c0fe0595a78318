"""Where is an order, and why: one answer for every timeline, by the same rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.reactions import Reaction
from kernel.saga import Saga
from kernel.timeline import OPEN, Call, Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`status`: CONFIRMED, CANCELLED, REJECTED or OPEN. `last`: the last operation that was done.

    `because_of`: the step whose refusal or failure turned the saga back, "" = none. `waits_for`: the operation that an open
    saga needs next.
    """

    status: str
    last: str
    because_of: str
    waits_for: str


def answer(timeline: Timeline, reactions: Sequence[Reaction]) -> Answer:
    """Where the order is. `reactions`: what follows what, as the saga is defined."""
    status, last = timeline.status(), timeline.last()
    waits_for = ""
    if status == OPEN:
        failed = [c for c in timeline.calls if not c.answer and (not last or c.at_s >= last.at_s)]
        waits_for = timeline.parked_now() or (failed[-1].operation if failed else "")
        waits_for = waits_for or _next(timeline, reactions)
    return Answer(
        status=status,
        last=last.operation if last else "",
        because_of=because_of(timeline),
        waits_for=waits_for,
    )


def _next(timeline: Timeline, reactions: Sequence[Reaction]) -> str:
    """What everything is there for, and has not been answered; first what the last answer led to, "" = nothing."""
    done, last = timeline.answered(), timeline.last()
    heard = {timeline.saga.forward[0], *(call.answer for call in done)}
    open_ = [r for r in reactions if r.complete(heard)]
    names = [r.command.__name__ for r in open_]
    just = last.answer if last else timeline.saga.forward[0]
    after = [r.command.__name__ for r in open_ if any(k.__name__ == just for k in r.hears())]
    answered = {call.operation for call in done}
    return next((name for name in (*after, *names) if name not in answered), "")


def because_of(timeline: Timeline) -> str:
    """The step that turned the saga back: refused, given up, or else the one that is undone first; "" = none did.

    A step that is refused because its compensation was there before it turned nothing back.
    """
    done = timeline.answered()
    saga = timeline.saga
    undone_s = {saga.undoes[c.operation]: c.at_s for c in done if _undid(saga, c)}
    for kind in (saga.refused, saga.given_up):
        for call in done:
            if call.answer in kind and call.at_s <= undone_s.get(call.operation, call.at_s):
                return call.operation
    return min(undone_s, key=lambda step: undone_s[step], default="")


def _undid(saga: Saga, call: Call) -> bool:
    """Whether it was a compensation, and not one that came too late."""
    return call.operation in saga.undoes and call.answer == saga.answers[call.operation][0]
