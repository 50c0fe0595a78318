"""Which fault strikes where: data, addressed by order index x operation x attempt x moment, never by time or turn.

Chance is hash(seed, address), so the same plan strikes the same orders in every style.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from scenarios.refusals import is_refusal
from shared_domain.errors import OutcomeUnknown, ParticipantCrashed, UsageError
from shared_domain.faults import Point
from shared_domain.messages import COMMANDS, Command, Event
from shared_domain.policy import Policy
from shared_domain.ports import Clock

SCHEMA = 1


class Moment(StrEnum):
    """The logical moments at which a fault can strike, the same in every style."""

    REFUSED = "business.refused"
    REQUEST_LOST = "request.lost"
    REQUEST_DUPLICATED = "request.duplicated"
    REQUEST_DELAYED = "request.delayed"
    ERROR = "participant.error"
    CRASH_BEFORE_COMMIT = "participant.crash_before_commit"
    CRASH_AFTER_COMMIT = "participant.crash_after_commit"
    SLOW = "participant.slow"
    HANG = "participant.hang"
    ANSWER_LOST = "answer.lost"
    ANSWER_DELAYED = "answer.delayed"
    COORDINATOR_KILLED = "coordinator.killed"


MEANING: dict[Moment, str] = {
    Moment.REFUSED: "the step is refused for a business reason",
    Moment.REQUEST_LOST: "the request is lost before the participant sees it",
    Moment.REQUEST_DUPLICATED: "the request is delivered twice",
    Moment.REQUEST_DELAYED: "the request arrives for_s late",
    Moment.ERROR: "the participant fails before its commit",
    Moment.CRASH_BEFORE_COMMIT: "the participant dies before its commit",
    Moment.CRASH_AFTER_COMMIT: "the participant dies after its commit, before it answers",
    Moment.SLOW: "the participant takes for_s longer",
    Moment.HANG: "the participant stays silent past the step deadline",
    Moment.ANSWER_LOST: "the answer is lost after the commit",
    Moment.ANSWER_DELAYED: "the answer arrives for_s late",
    Moment.COORDINATOR_KILLED: "kill -9 of the broker or engine once the order is accepted",
}
DEFAULT_DELAY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One line of a plan.

    `orders`: order indices struck: a list, "all", {"every": k} (k-1, 2k-1, ...) or {"share": p}.
    `attempts`: a list of attempt numbers (1 = first), or "all". `for_s`: unscaled seconds.
    """

    orders: Any
    operation: str
    moment: Moment
    attempts: Any = (1,)
    for_s: float = DEFAULT_DELAY_S

    def strikes_order(self, index: int, *, seed: int) -> bool:
        """Whether this fault is meant for the order of this index."""
        match self.orders:
            case "all":
                return True
            case {"every": int(step)}:
                return index % step == step - 1
            case {"share": share}:
                return _chance(seed, index, self.operation, self.moment) < float(share)
            case indices:
                return index in indices

    def strikes_attempt(self, attempt: int) -> bool:
        """Whether this fault is meant for the n-th attempt."""
        return self.attempts == "all" or attempt in self.attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """All faults of a run."""

    faults: tuple[Fault, ...] = ()

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """The plan in a JSON document. Raise UsageError naming the first thing that is wrong."""
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise UsageError(
                f'a fault plan is an object with "schema": {SCHEMA} and "faults": [...]'
            )
        lines = document.get("faults")
        if not isinstance(lines, list):
            raise UsageError('the fault plan has no list "faults"')
        return cls(faults=tuple(_fault(line, number) for number, line in enumerate(lines)))

    def to_json(self) -> dict[str, Any]:
        """The plan as a JSON document."""
        return {"schema": SCHEMA, "faults": [asdict(fault) for fault in self.faults]}

    def __add__(self, other: "FaultPlan") -> "FaultPlan":
        """Both plans' faults."""
        return FaultPlan(faults=self.faults + other.faults)


def _fault(line: Any, number: int) -> Fault:
    where = f"fault {number} of the plan"
    if not isinstance(line, dict) or not {"orders", "operation", "moment"} <= line.keys():
        raise UsageError(f"{where} needs orders, operation and moment")
    unknown = line.keys() - {"orders", "operation", "moment", "attempts", "for_s"}
    if unknown:
        raise UsageError(f"{where} has unknown fields: {', '.join(sorted(unknown))}")
    if not isinstance(line["moment"], str) or line["moment"] not in list(Moment):
        raise UsageError(f"{where}: moment {line['moment']!r} is not one of {', '.join(Moment)}")
    if not isinstance(line["operation"], str) or line["operation"] not in COMMANDS:
        raise UsageError(
            f"{where}: operation {line['operation']!r} is not one of {', '.join(COMMANDS)}"
        )
    orders, attempts = line["orders"], line.get("attempts", [1])
    if not (orders == "all" or _numbers(orders, 0) or _selector(orders)):
        raise UsageError(
            f'{where}: orders is "all", indices from 0, {{"every": k}} or {{"share": p}}'
        )
    if not (attempts == "all" or _numbers(attempts, 1)):
        raise UsageError(f'{where}: attempts is "all" or a list of numbers from 1')
    for_s = line.get("for_s", DEFAULT_DELAY_S)
    if not isinstance(for_s, int | float) or isinstance(for_s, bool) or not 0 <= for_s <= 3600:
        raise UsageError(f"{where}: for_s is a number of seconds up to 3600")
    return Fault(
        orders=orders,
        operation=line["operation"],
        moment=Moment(line["moment"]),
        attempts=attempts,
        for_s=for_s,
    )


def _numbers(value: Any, least: int) -> bool:
    return isinstance(value, list) and all(type(n) is int and n >= least for n in value)


def _selector(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    every, share = value.get("every"), value.get("share")
    if type(every) is int:
        return every >= 1
    return isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= 1


def _chance(seed: int, *address: object) -> float:
    """A number in 0..1 that depends on the seed and the address alone."""
    digest = hashlib.sha256(repr((seed, *map(str, address))).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


@dataclass(slots=True, kw_only=True)
class Injection:
    """What became of one planned fault at one order and attempt."""

    order_id: str
    operation: str
    attempt: int
    moment: str
    reached: bool = False
    struck: bool = False
    changed: bool = False


class PlannedFaults:
    """The Faults port of a run: strikes what the plan says and keeps a record of it."""

    def __init__(
        self, plan: FaultPlan, order_ids: Iterable[str], *, seed: int, policy: Policy, clock: Clock
    ) -> None:
        self._plan, self._seed, self._policy, self._clock = plan, seed, policy, clock
        self._by_operation: dict[str, list[tuple[int, Fault]]] = defaultdict(list)
        for number, fault in enumerate(plan.faults):
            self._by_operation[fault.operation].append((number, fault))
        self._index = {order_id: index for index, order_id in enumerate(order_ids)}
        self._records: dict[tuple[int, str, int], Injection] = {}
        self.attempts: Counter[tuple[str, str]] = Counter()
        """(order_id, operation) -> how often the request has arrived."""
        self.arrivals_mono_s: dict[str, list[float]] = defaultdict(list)
        """order_id -> when any request of it arrived: signs of life."""
        self.in_flight = 0
        """Requests that are on their way or being worked on."""
        self.answers: Counter[tuple[str, str]] = Counter()
        """(order_id, operation) -> how often an answer was about to leave."""

    def arrive(self, command: Command) -> None:
        """A request has reached its participant."""
        self.attempts[command.order_id, command.name] += 1
        self.arrivals_mono_s[command.order_id].append(self._clock.mono_s())

    def strike(
        self, moment: Moment, order_id: str, operation: str, attempt: int, *, succeed: bool = True
    ) -> Fault | None:
        """The fault planned for this address, now struck, or None. `succeed` False: only reached."""
        found = None
        for number, fault in self._planned(order_id, operation):
            if fault.moment is moment and fault.strikes_attempt(attempt):
                record = self._records.setdefault(
                    (number, order_id, attempt),
                    Injection(
                        order_id=order_id, operation=operation, attempt=attempt, moment=moment
                    ),
                )
                record.reached = True
                record.struck |= succeed
                found = found or fault
        return found

    def never_struck(self) -> list[str]:
        """The lines of the plan of which nothing struck: the run says nothing about them."""
        struck = {number for (number, _, _), record in self._records.items() if record.struck}
        return [
            f"no {fault.moment} at {fault.operation} ever struck (fault {number} of the plan)"
            for number, fault in enumerate(self._plan.faults)
            if number not in struck
        ]

    def delay_s(self, fault: Fault) -> float:
        """How long a slow or delaying fault holds things up, scaled."""
        if fault.moment is Moment.HANG:
            return 2 * self._policy.step_s()
        return fault.for_s * self._policy.time_scale

    def touches(self, command: Command) -> bool:
        """See ports.Faults."""
        return bool(self._planned(command.order_id, command.name))

    async def reach(self, point: str, command: Command, answer: Event | None = None) -> None:
        """See ports.Faults."""
        if not self.touches(command):
            return
        attempt = self.attempts[command.order_id, command.name]
        address = (command.order_id, command.name, attempt)
        if point == Point.BEFORE_COMMIT:
            for moment in (Moment.SLOW, Moment.HANG):
                if fault := self.strike(moment, *address):
                    await self._clock.sleep(self.delay_s(fault))
            if self.strike(Moment.ERROR, *address):
                raise OutcomeUnknown(f"{command.name}: injected error")
            if self.strike(Moment.CRASH_BEFORE_COMMIT, *address):
                raise ParticipantCrashed(f"{command.name}: injected crash before commit")
        elif point == Point.AFTER_COMMIT:
            refused = answer is not None and is_refusal(answer)
            # What is ordered is refused at any attempt, so a refusal is addressed as the first one.
            self.strike(Moment.REFUSED, command.order_id, command.name, 1, succeed=refused)
            if self.strike(Moment.CRASH_AFTER_COMMIT, *address):
                raise ParticipantCrashed(f"{command.name}: injected crash after commit")

    def injections(self) -> list[Injection]:
        """Every planned fault with every order it was meant for; those never reached included."""
        found = dict(self._records)
        reached = {(number, order_id) for number, order_id, _ in found}
        for order_id in self._index:
            for operation in self._by_operation:
                for number, fault in self._planned(order_id, operation):
                    if (number, order_id) not in reached:
                        found[number, order_id, 1] = Injection(
                            order_id=order_id, operation=operation, attempt=1, moment=fault.moment
                        )
        return [found[key] for key in sorted(found)]

    def _planned(self, order_id: str, operation: str) -> list[tuple[int, Fault]]:
        index = self._index.get(order_id)
        if index is None:
            return []
        return [
            (number, fault)
            for number, fault in self._by_operation.get(operation, ())
            if fault.strikes_order(index, seed=self._seed)
        ]
