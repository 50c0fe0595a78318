"""What must go wrong without a guard, cell by cell, and why: said before the sweep is run, and checked against it.

A cell that shows worse than nothing although nothing is predicted for it is no contradiction (faults meet, deadlines pass); a predicted
cell that shows nothing is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from scenarios.fault_plan import Moment
from scenarios.fault_space import ALWAYS, FORWARD, ONCE, UNDO
from scenarios.outcome import SEVERITY
from scenarios.sweep import NOT_RUN, CellResult
from scenarios.verdict import BROKEN_LAW, LIED, OrderClass

CHOREOGRAPHY, ORCHESTRATION = "choreography", "orchestration"
BOTH = (CHOREOGRAPHY, ORCHESTRATION)
_ACTS = (
    "PlaceOrder",
    "ReserveStock",
    "ChargePayment",
    "BookShipment",
    "ConfirmOrder",
    "RefundPayment",
    "ReleaseStock",
    "CancelOrder",
)
"""CancelShipment is not among them: it changes nothing that could be changed twice."""
_LEAD_ON = tuple(o for o in (*FORWARD, *UNDO) if o not in ("ConfirmOrder", "CancelOrder"))
"""Somebody reacts to their answers."""
_HAVE_NOWHERE_TO_GO = ("PlaceOrder", "ConfirmOrder", *UNDO)
_WHENS = (ONCE, ALWAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Without `guard`, these faults at these operations come to one of `damages` in these styles."""

    guard: str
    because: str
    moments: tuple[Moment, ...]
    operations: tuple[str, ...]
    damages: frozenset[str]
    styles: tuple[str, ...] = BOTH
    whens: tuple[str, ...] = _WHENS

    def covers(self, result: CellResult) -> bool:
        """Whether it says anything about this cell."""
        (strike,) = result.strikes
        return (
            result.style in self.styles
            and strike["moment"] in self.moments
            and strike["operation"] in self.operations
            and strike["when"] in self.whens
            and result.worst != NOT_RUN
        )


PREDICTIONS = (
    Prediction(
        guard="inbox",
        because="a request that comes twice acts twice",
        moments=(Moment.REQUEST_DUPLICATED, Moment.ANSWER_LOST),
        operations=_ACTS,
        damages=frozenset({OrderClass.DUPLICATED}),
    ),
    Prediction(
        guard="inbox",
        because="the work was done, its answer never left, so it is asked for again",
        moments=(Moment.CRASH_AFTER_COMMIT,),
        operations=_ACTS,
        damages=frozenset({OrderClass.DUPLICATED}),
    ),
    Prediction(
        guard="inbox",
        because="an answer past the step deadline is asked for again",
        moments=(Moment.ANSWER_DELAYED, Moment.ANSWER_REORDERED),
        operations=_ACTS,
        damages=frozenset({OrderClass.DUPLICATED}),
        styles=(ORCHESTRATION,),
    ),
    Prediction(
        guard="inbox",
        because="an event that comes twice is reacted to twice",
        moments=(Moment.ANSWER_DUPLICATED,),
        operations=_LEAD_ON,
        damages=frozenset({OrderClass.DUPLICATED}),
        styles=(CHOREOGRAPHY,),
    ),
    Prediction(
        guard="outbox",
        because="the event is lost between the commit and its publication",
        moments=(Moment.CRASH_AFTER_COMMIT,),
        operations=_LEAD_ON,
        damages=frozenset({OrderClass.STUCK, BROKEN_LAW}),
        styles=(CHOREOGRAPHY,),
    ),
    Prediction(
        guard="retries",
        because="the first failure is final, and the order is undone though a second attempt would have done it",
        moments=(Moment.ERROR, Moment.HANG),
        operations=("ReserveStock", "ChargePayment", "BookShipment"),
        damages=frozenset({OrderClass.COMPENSATED}),
        whens=(ONCE,),
    ),
    Prediction(
        guard="compensation_retries",
        because="the first failure of a compensation leaves the saga to an operator",
        moments=(Moment.ERROR, Moment.HANG),
        operations=UNDO,
        damages=frozenset({OrderClass.PARKED}),
        whens=(ONCE,),
    ),
    Prediction(
        guard="dead_letters",
        because="a message that has nowhere to go is dropped",
        moments=(Moment.ERROR, Moment.HANG),
        operations=_HAVE_NOWHERE_TO_GO,
        damages=frozenset({OrderClass.STUCK}),
        styles=(CHOREOGRAPHY,),
        whens=(ALWAYS,),
    ),
    Prediction(
        guard="dead_letters",
        because="a message that cannot be read is dropped; if the order was opened its deadline finds it",
        moments=(Moment.POISON, Moment.UNKNOWN_VERSION, Moment.OVERSIZED),
        operations=(*FORWARD, *UNDO),
        damages=frozenset({OrderClass.STUCK, BROKEN_LAW}),
        styles=(CHOREOGRAPHY,),
    ),
    Prediction(
        guard="tombstones",
        because="a step that its compensation has overtaken acts",
        moments=(Moment.REQUEST_REORDERED,),
        operations=("ReserveStock", "ChargePayment", "BookShipment"),
        damages=frozenset({OrderClass.HALF_DONE}),
        whens=(ALWAYS,),
    ),
    Prediction(
        guard="timeouts",
        because="nobody notices that nobody answers",
        moments=(Moment.HANG,),
        operations=(*FORWARD, *UNDO),
        damages=frozenset({OrderClass.STUCK}),
    ),
    Prediction(
        guard="semantic_lock",
        because="the order was shown as confirmed, and was undone",
        moments=tuple(m for m in Moment if m is not Moment.COORDINATOR_FORGOT),
        operations=UNDO,
        damages=frozenset({LIED}),
    ),
    Prediction(
        guard="semantic_lock",
        because="the order was shown as confirmed, and was refused",
        moments=(Moment.REFUSED,),
        operations=("PlaceOrder", "ReserveStock", "ChargePayment", "BookShipment"),
        damages=frozenset({LIED}),
    ),
)
"""`confirms` is not here: what it prevents depends on the instant of a kill. `saga ablate` shows it."""


@dataclass(slots=True, kw_only=True)
class Confirmation:
    """How many of the cells for which a damage is predicted show it, and which do not."""

    guard: str
    predicted: int = 0
    shown: int = 0
    contradicted: list[str] = field(default_factory=list)


def confirm(guards: str, results: Sequence[CellResult]) -> Confirmation | None:
    """Theory against a sweep of depth 1 without one guard; None if there is none about it."""
    guard = guards.removeprefix("-")
    mine = [p for p in PREDICTIONS if p.guard == guard]
    if not mine or any(len(result.strikes) > 1 for result in results):
        return None
    found = Confirmation(guard=guard)
    for prediction in mine:
        for result in filter(prediction.covers, results):
            found.predicted += 1
            if _shows(result, prediction.damages):
                found.shown += 1
            else:
                told = f"{result.key} is {result.worst}: {prediction.because}"
                found.contradicted.append(told)
    return found


def _shows(result: CellResult, damages: frozenset[str]) -> bool:
    """Whether a predicted damage is there, or a worse one hides it."""
    worst = SEVERITY.index(result.worst) if result.worst in SEVERITY else len(SEVERITY)
    hides = worst < min(SEVERITY.index(damage) for damage in damages)
    return result.worst in damages or bool(damages & result.classes.keys()) or hides
