"""Which fault strikes where: data, addressed by order index x operation x attempt x moment, never by time or turn.

Chance is hash(seed, address), so the same plan strikes the same orders in every style. The format is
fault_plan.schema.json, beside this file.
"""

import hashlib
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from jsonschema import ValidationError

from kernel.errors import UsageError, nearest
from kernel.saga import Saga
from scenarios.faults.json_schema import validator

SCHEMA = 1
SCHEMA_FILE = "scenarios.faults", "fault_plan.schema.json"


class Moment(StrEnum):
    """The logical moments at which a fault can strike, the same in every style."""

    REFUSED = "business.refused"
    REQUEST_LOST = "request.lost"
    REQUEST_DUPLICATED = "request.duplicated"
    REQUEST_DELAYED = "request.delayed"
    REQUEST_REORDERED = "request.reordered"
    REQUEST_REPLAYED = "request.replayed"
    POISON = "data.poison"
    UNKNOWN_VERSION = "data.unknown_version"
    OVERSIZED = "data.oversized"
    OVERSIZED_ANSWER = "data.oversized_answer"
    UNEXPECTED_ANSWER = "data.unexpected_answer"
    ERROR = "participant.error"
    CRASH_BEFORE_COMMIT = "participant.crash_before_commit"
    CRASH_AFTER_COMMIT = "participant.crash_after_commit"
    SLOW = "participant.slow"
    HANG = "participant.hang"
    ANSWER_LOST = "answer.lost"
    ANSWER_DUPLICATED = "answer.duplicated"
    ANSWER_DELAYED = "answer.delayed"
    ANSWER_REORDERED = "answer.reordered"
    COORDINATOR_KILLED = "coordinator.killed"
    COORDINATOR_FROZEN = "coordinator.frozen"
    COORDINATOR_UNREACHABLE = "coordinator.unreachable"
    COORDINATOR_FORGOT = "coordinator.forgot"
    CLOCK_AHEAD = "clock.ahead"
    CLOCK_SET_BACK = "clock.set_back"
    CONTEXT_LOST = "trace.context_lost"


MEANING: dict[Moment, str] = {
    Moment.REFUSED: "the step is refused for a business reason",
    Moment.REQUEST_LOST: "the request is lost before the participant sees it",
    Moment.REQUEST_DUPLICATED: "the request is delivered twice",
    Moment.REQUEST_DELAYED: "the request arrives for_s late",
    Moment.REQUEST_REORDERED: "the request is overtaken by the saga's next one to the same participant, or for_s late",
    Moment.REQUEST_REPLAYED: "the request comes once more for_s after it was answered, when its saga may be over",
    Moment.POISON: "the request arrives as something that is not a message",
    Moment.UNKNOWN_VERSION: "the request is of a version that nobody knows",
    Moment.OVERSIZED: "the request is larger than any message may be",
    Moment.OVERSIZED_ANSWER: "the answer is larger than any message may be",
    Moment.UNEXPECTED_ANSWER: "the answer is one that nobody knows",
    Moment.ERROR: "the participant fails before its commit",
    Moment.CRASH_BEFORE_COMMIT: "the participant dies before its commit",
    Moment.CRASH_AFTER_COMMIT: "the participant dies after its commit, before it answers",
    Moment.SLOW: "the participant takes for_s longer",
    Moment.HANG: "the participant stays silent for ever",
    Moment.ANSWER_LOST: "the answer is lost after the commit",
    Moment.ANSWER_DUPLICATED: "the answer arrives twice",
    Moment.ANSWER_DELAYED: "the answer arrives for_s late",
    Moment.ANSWER_REORDERED: "the answer is overtaken by the saga's next one, or for_s late",
    Moment.COORDINATOR_KILLED: "kill -9 of the broker or engine while the participant has the request in hand; started"
    " again after for_s",
    Moment.COORDINATOR_FROZEN: "the broker or engine stands still for_s long while the participant has the request in hand",
    Moment.COORDINATOR_UNREACHABLE: "the step's participant and the broker or engine are cut off from each other for_s long"
    " while the participant has the request in hand",
    Moment.COORDINATOR_FORGOT: "the coordinator breaks its promise: the confirmed message that leads to the request is"
    " lost, or the execution's history, while the participant has the request in hand",
    Moment.CLOCK_AHEAD: "the clocks of the participant's host are for_s ahead of all others, from the start",
    Moment.CLOCK_SET_BACK: "the time of day on the participant's host is set back by for_s when the request arrives",
    Moment.CONTEXT_LOST: "the request arrives without its trace context: what follows is in a trace of its own",
}
DISTURBANCES = frozenset(
    {Moment.COORDINATOR_KILLED, Moment.COORDINATOR_FROZEN, Moment.COORDINATOR_UNREACHABLE}
)
"""What is done to the coordinator of the whole run, when the request that the fault is addressed to has arrived."""
HELD = frozenset(
    {
        Moment.REQUEST_DELAYED,
        Moment.REQUEST_REORDERED,
        Moment.REQUEST_REPLAYED,
        Moment.ANSWER_DELAYED,
        Moment.ANSWER_REORDERED,
    }
)
"""What holds a message back, so that nobody can be blamed for the silence."""
CRASHES = frozenset({Moment.CRASH_BEFORE_COMMIT, Moment.CRASH_AFTER_COMMIT})
"""What ends a participant."""
CORRUPTED = frozenset({Moment.POISON, Moment.UNKNOWN_VERSION, Moment.OVERSIZED})
"""What makes a request unreadable."""
CLOCKS = frozenset({Moment.CLOCK_AHEAD, Moment.CLOCK_SET_BACK})
"""What changes no more than times."""
BROKEN_PROMISES = frozenset({Moment.COORDINATOR_FORGOT})
"""What no coordinator does that keeps its promises: no safeguard is expected to help."""
ONLY_IN_TRACES = frozenset({Moment.CONTEXT_LOST})
"""What changes no ledger: it is no part of the space that is swept and explored."""
LATE_S = 75.0
"""Past the saga deadline of 60 s."""
FOR_EVER_S = 600.0
DEFAULT_S: dict[Moment, float] = {
    Moment.REQUEST_REORDERED: LATE_S,
    Moment.REQUEST_REPLAYED: LATE_S,
    Moment.ANSWER_REORDERED: LATE_S,
    Moment.HANG: FOR_EVER_S,
    Moment.COORDINATOR_FORGOT: 0.0,
}
"""How long a fault lasts if its plan does not say; 1 s for the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One line of a plan.

    `orders`: order indices struck: a list, "all", {"every": k} (k-1, 2k-1, ...) or {"share": p}.
    `attempts`: a list of attempt numbers (1 = first), "all", or {"share": p}. `for_s`: unscaled seconds; None = DEFAULT_S.
    """

    orders: Any
    operation: str
    moment: Moment
    attempts: Any = (1,)
    for_s: float | None = None

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

    def strikes_attempt(self, attempt: int, *, index: int, seed: int) -> bool:
        """Whether this fault is meant for the n-th attempt at the order of this index."""
        match self.attempts:
            case "all":
                return True
            case {"share": share}:
                return _chance(seed, index, self.operation, self.moment, attempt) < float(share)
            case numbers:
                return attempt in numbers

    def lasts_s(self) -> float:
        """Unscaled seconds."""
        return DEFAULT_S.get(self.moment, 1.0) if self.for_s is None else self.for_s

    def __str__(self) -> str:
        """Where and what, in short: operation, moment, attempts."""
        when = {"all": ", every attempt", "(1,)": ""}.get(
            str(self.attempts), f", attempts {self.attempts}"
        )
        lasts = "" if self.for_s is None else f", {self.for_s:g} s"
        return f"{self.operation} {self.moment}{when}{lasts}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """All faults of a run."""

    faults: tuple[Fault, ...] = ()

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """The plan in a JSON document. Raise UsageError naming the first thing that is wrong."""
        if error := next(iter(validator(*SCHEMA_FILE).iter_errors(document)), None):
            raise UsageError(_in_words(error))
        lines: list[dict[str, Any]] = [
            {key: tuple(value) if isinstance(value, list) else value for key, value in line.items()}
            for line in document["faults"]
        ]
        for line in lines:
            line["moment"] = Moment(line["moment"])
        faults = [Fault(**line) for line in lines]
        return cls(faults=tuple(faults))

    def check(self, saga: Saga) -> Self:
        """The plan itself. Raise UsageError naming the first fault that this saga cannot have."""
        for number, fault in enumerate(self.faults):
            where = f"faults[{number}] of the plan"
            if fault.operation not in saga.operations:
                known = ", ".join(saga.operations)
                raise UsageError(
                    f"{where}: operation {fault.operation!r} is no command of the saga {saga.name}"
                    f"{nearest(fault.operation, saga.operations)}: use {known}"
                )
            if fault.moment is Moment.REFUSED and fault.operation not in saga.refusable:
                known = ", ".join(step for step in saga.forward if step in saga.refusable)
                raise UsageError(
                    f"{where}: {fault.operation} has no business reason to refuse: use {known}"
                )
        return self

    def to_json(self) -> dict[str, Any]:
        """The plan as a JSON document."""
        lines = [
            {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in asdict(fault).items()
                if value is not None
            }
            for fault in self.faults
        ]
        return {"schema": SCHEMA, "faults": lines}

    def __add__(self, other: "FaultPlan") -> "FaultPlan":
        """Both plans' faults."""
        return FaultPlan(faults=self.faults + other.faults)


def _in_words(error: ValidationError) -> str:
    match list(error.absolute_path):
        case ["faults", int(number), *rest]:
            where = ", ".join([f"fault {number} of the plan", *map(str, rest[:1])])
        case path:
            where = ", ".join(["the fault plan", *map(str, path)])
    known = error.schema.get("enum") if isinstance(error.schema, dict) else None
    if known and isinstance(error.instance, str):
        return f"{where}: unknown {error.instance!r}{nearest(error.instance, known)}: use {', '.join(known)}"
    wanted = error.schema.get("description") if isinstance(error.schema, dict) else None
    if wanted and error.validator != "additionalProperties":
        return f"{where}: {error.instance!r} is not {wanted}"
    return f"{where}: {error.message}"


def _chance(seed: int, *address: object) -> float:
    """A number in 0..1 that depends on the seed and the address alone."""
    digest = hashlib.sha256(repr((seed, *map(str, address))).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
