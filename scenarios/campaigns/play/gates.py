"""Where messages wait for the player: a request at its participant's door, an answer before it leaves.

The same two places in both styles, and the same where a fault plan strikes, so that what the player did is a fault plan.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kernel.messages import Command
from scenarios.campaigns.simulation.schedule import TIME_SCALE
from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.faults.planned import PlannedFaults

LET = "let"
REQUEST_ACTS: Mapping[str, Moment] = {
    "lose": Moment.REQUEST_LOST,
    "twice": Moment.REQUEST_DUPLICATED,
    "fail": Moment.ERROR,
    "crash-before": Moment.CRASH_BEFORE_COMMIT,
    "crash-after": Moment.CRASH_AFTER_COMMIT,
    "lose-answer": Moment.ANSWER_LOST,
    "hang": Moment.HANG,
    "kill": Moment.COORDINATOR_KILLED,
}
ANSWER_ACTS: Mapping[str, Moment] = {
    "twice": Moment.ANSWER_DUPLICATED,
    "garble": Moment.UNEXPECTED_ANSWER,
}
_BY_ATTEMPTS_SO_FAR = frozenset(
    {Moment.ERROR, Moment.CRASH_BEFORE_COMMIT, Moment.CRASH_AFTER_COMMIT, Moment.HANG}
)
"""What strikes inside the participant, which counts requests when it has one in hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that waits. `name`: of the command or of the event; `operation`: the command, or the one that is answered.

    `number`: which attempt of the request it is, or which answer to the operation. `since_s`: virtual time.
    """

    order: int
    kind: str
    name: str
    operation: str
    number: int
    since_s: float
    free: asyncio.Future[None]

    @property
    def key(self) -> str:
        """Names it in a list of choices."""
        return f"{self.order}.{self.name}.{self.number}"


class ChosenFaults(PlannedFaults):
    """The Faults port of a game: every message waits until the player has chosen what happens to it."""

    def __init__(self, *about: Any, **options: Any) -> None:
        super().__init__(*about, **options)
        self.waiting: dict[str, Waiting] = {}
        """Those that wait, oldest first."""
        self.arrivals = 0
        """How many have come so far."""
        self.chosen: list[Fault] = []
        self.delays: list[Fault] = []
        """How long each message was held, as lines of a plan."""

    async def admit(self, command: Command, attempt: int) -> None:
        """See PlannedFaults: when the player says so."""
        await self._wait(command.order_id, "request", command.name, command.name, attempt)

    async def send(self, order_id: str, operation: str, answer: str, number: int) -> None:
        """See PlannedFaults: when the player says so."""
        await self._wait(order_id, "answer", answer, operation, number)

    async def _wait(self, order_id: str, kind: str, name: str, operation: str, number: int) -> None:
        waiting = Waiting(
            order=self._index[order_id],
            kind=kind,
            name=name,
            operation=operation,
            number=number,
            since_s=self.clock.mono_s(),
            free=asyncio.get_running_loop().create_future(),
        )
        self.arrivals += 1
        self.waiting[waiting.key] = waiting
        try:
            await waiting.free
        finally:
            self.waiting.pop(waiting.key, None)

    def let(self, waiting: Waiting, act: str) -> None:
        """Let a message go on, with what the player does to it."""
        held_s = round((self.clock.mono_s() - waiting.since_s) / TIME_SCALE, 3)
        request = waiting.kind == "request"
        if held_s > 0:
            moment = Moment.REQUEST_DELAYED if request else Moment.ANSWER_DELAYED
            self.delays.append(_line(waiting, moment, waiting.number, for_s=held_s))
        if act != LET:
            moment = (REQUEST_ACTS if request else ANSWER_ACTS)[act]
            self._add(_line(waiting, moment, self._number(waiting, moment)))
        waiting.free.set_result(None)
        del self.waiting[waiting.key]

    def _number(self, waiting: Waiting, moment: Moment) -> int:
        order_id = next(i for i, index in self._index.items() if index == waiting.order)
        key = order_id, waiting.operation
        if moment is Moment.ANSWER_LOST:
            return self.record.answers[key] + 1
        return self.record.attempts[key] if moment in _BY_ATTEMPTS_SO_FAR else waiting.number

    def _add(self, fault: Fault) -> None:
        self._by_operation[fault.operation].append((len(self.plan.faults), fault))
        self.plan += FaultPlan(faults=(fault,))
        self.chosen.append(fault)
        self._lines.clear()


def _line(waiting: Waiting, moment: Moment, number: int, *, for_s: float | None = None) -> Fault:
    return Fault(
        orders=(waiting.order,),
        operation=waiting.operation,
        moment=moment,
        attempts=(number,),
        for_s=for_s,
    )
