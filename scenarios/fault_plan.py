"""Which fault strikes where: data, addressed by order index x operation x attempt x moment, never by time or turn.

Chance is hash(seed, address), so the same plan strikes the same orders in every style.
"""

import hashlib
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from shared_domain.errors import UsageError
from shared_domain.messages import COMMANDS

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
    COORDINATOR_FROZEN = "coordinator.frozen"
    COORDINATOR_UNREACHABLE = "coordinator.unreachable"


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
    Moment.COORDINATOR_FROZEN: "the broker or engine stands still for_s long once the order is accepted",
    Moment.COORDINATOR_UNREACHABLE: "the step's participant and the broker or engine are cut off from each other"
    " for_s long once the order is accepted",
}
DISTURBANCES = frozenset(
    {Moment.COORDINATOR_KILLED, Moment.COORDINATOR_FROZEN, Moment.COORDINATOR_UNREACHABLE}
)
"""What is done to the coordinator of the whole run, when the order that the fault is addressed to is accepted."""
DELAYS = frozenset({Moment.REQUEST_DELAYED, Moment.ANSWER_DELAYED})
"""What holds a message back, so that nobody can be blamed for the silence."""
CRASHES = frozenset({Moment.CRASH_BEFORE_COMMIT, Moment.CRASH_AFTER_COMMIT})
"""What ends a participant."""
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
