"""The words in which a run is judged."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from scenarios.judge.load import Load


class OrderClass(StrEnum):
    """What became of one order. First match wins, in this order."""

    DUPLICATED = "duplicated"
    HALF_DONE = "half-done"
    STUCK = "stuck"
    STUCK_IN_THE_OPEN = "stuck-in-the-open"
    PARKED = "parked"
    LATE = "late"
    COMPENSATED = "compensated"
    COMMITTED = "committed"
    REJECTED = "rejected"


MEANING: dict[OrderClass, str] = {
    OrderClass.DUPLICATED: "an effect or its undo was applied twice",
    OrderClass.HALF_DONE: "ended by its own account, with effects missing or left over",
    OrderClass.STUCK: "accepted and not ended, and nothing shows it",
    OrderClass.STUCK_IN_THE_OPEN: "parked, and redriving it does not end it though its faults are over",
    OrderClass.PARKED: "not ended, and an operator can see it and why",
    OrderClass.LATE: "ended right, after the saga deadline",
    OrderClass.COMPENSATED: "every effect that happened was undone exactly once",
    OrderClass.COMMITTED: "every forward effect exactly once, nothing undone",
    OrderClass.REJECTED: "refused at the first step, no effect anywhere",
}
BROKEN_LAW = "broken law"
LIED = "lied"
BAD = frozenset(
    {OrderClass.DUPLICATED, OrderClass.HALF_DONE, OrderClass.STUCK, OrderClass.STUCK_IN_THE_OPEN}
)


class Judgement(StrEnum):
    """The verdict on a whole run."""

    CONSISTENT = "CONSISTENT"
    INCONSISTENT = "INCONSISTENT"
    UNKNOWN = "UNKNOWN"


class Exit(IntEnum):
    """Exit codes of every command that judges."""

    AS_EXPECTED = 0
    NOT_AS_EXPECTED = 1
    WRONG_USAGE = 2
    UNKNOWN = 3
    INTERRUPTED = 130


Witness = dict[str, Any]
"""One ledger or business row, with the participant and table it stands in; no times."""


@dataclass(slots=True, kw_only=True)
class OrderVerdict:
    """One order: its class, and why if it is not a good one."""

    order_id: str
    order_class: OrderClass
    why: str = ""
    lied: bool = False
    witnesses: list[Witness] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    """The rules that are broken: see rules.py."""


@dataclass(slots=True, kw_only=True)
class LawVerdict:
    """One conservation law over the whole run."""

    law: str
    held: bool
    why: str = ""
    witnesses: list[Witness] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class OrderTiming:
    """Seconds. None = does not apply; `open` names the intervals still open when the run ended (censored)."""

    order_id: str
    latency_s: float | None = None
    money_exposure_s: float | None = None
    stock_exposure_s: float | None = None
    inconsistency_s: float = 0.0
    open: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Verdict:
    """The judgement on one run. `problems`: why it is UNKNOWN or not as the scenario expects."""

    judgement: Judgement
    as_expected: bool
    orders: list[OrderVerdict]
    laws: list[LawVerdict]
    timings: list[OrderTiming]
    problems: list[str]
    isolation: dict[str, Any] = field(default_factory=dict)
    """What readers saw during the run, and the anomalies in it: see isolation.py. Empty if nobody read."""
    clocks: dict[str, tuple[float, float]] = field(default_factory=dict)
    """See clocks.py."""
    load: Load | None = None
    """None = the run was not judged."""

    def counts(self) -> dict[str, int]:
        """Orders per class, every class listed."""
        counted = dict.fromkeys(map(str, OrderClass), 0)
        for order in self.orders:
            counted[order.order_class] += 1
        return counted

    def is_bad(self) -> bool:
        """Whether it is INCONSISTENT."""
        return self.judgement is Judgement.INCONSISTENT

    def overloaded(self) -> bool:
        """Whether it is UNKNOWN for nothing but its load, which a benchmark may want to see."""
        saturated = self.load is not None and self.load.saturated
        return saturated and self.judgement is Judgement.UNKNOWN and len(self.problems) == 1

    def exit_code(self) -> Exit:
        """See Exit. What failed to happen is unknown; what happened wrongly is known."""
        if self.judgement is Judgement.UNKNOWN:
            return Exit.UNKNOWN
        return Exit.AS_EXPECTED if self.as_expected else Exit.NOT_AS_EXPECTED
