"""What must go wrong without a guard, cell by cell, and why: said before the sweep is run, and checked against it.

A cell that shows worse than nothing although nothing is predicted for it is no contradiction (faults meet, deadlines pass); a predicted
cell that shows nothing is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kernel.orders import CANCELLED
from kernel.saga import Saga
from scenarios.campaigns.outcome import SEVERITY
from scenarios.campaigns.sweep import NOT_RUN, CellResult
from scenarios.faults.plan import Moment
from scenarios.faults.space import ALWAYS, ONCE
from scenarios.judge.verdict import BROKEN_LAW, LIED, OrderClass
from scenarios.styles.index import STYLES

_WHENS = (ONCE, ALWAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Without `guard`, these faults at these operations lead to one of `damages`."""

    guard: str
    because: str
    moments: tuple[Moment, ...]
    operations: tuple[str, ...]
    damages: frozenset[str]
    conducted: bool | None = None
    """Only in styles with, or without, a conductor; None = in all."""
    whens: tuple[str, ...] = _WHENS

    def covers(self, result: CellResult) -> bool:
        """Whether it says anything about this cell."""
        (strike,) = result.strikes
        return (
            self.conducted in (None, STYLES[result.style].conducted)
            and strike["moment"] in self.moments
            and strike["operation"] in self.operations
            and strike["when"] in self.whens
            and result.worst != NOT_RUN
        )


def predictions(saga: Saga) -> tuple[Prediction, ...]:
    """What must go wrong in this saga. `confirms` is not here: what it prevents depends on the instant of a kill; `saga ablate` shows it."""
    changes_nothing = {step.undo.__name__ for step in saga.steps if step.undo and step.kept}
    acts = tuple(o for o in saga.operations if o not in changes_nothing)
    last = {saga.ending.name, saga.ended_by.get(CANCELLED, "")}
    lead_on = tuple(o for o in saga.operations if o not in last)
    nowhere_to_go = tuple(o for o in saga.operations if o in saga.may_park)
    return (
        Prediction(
            guard="inbox",
            because="a request that comes twice acts twice",
            moments=(Moment.REQUEST_DUPLICATED, Moment.ANSWER_LOST),
            operations=acts,
            damages=frozenset({OrderClass.DUPLICATED}),
        ),
        Prediction(
            guard="inbox",
            because="the work was done, its answer never left, so it is asked for again",
            moments=(Moment.CRASH_AFTER_COMMIT,),
            operations=acts,
            damages=frozenset({OrderClass.DUPLICATED}),
        ),
        Prediction(
            guard="inbox",
            because="an answer past the step deadline is asked for again",
            moments=(Moment.ANSWER_DELAYED, Moment.ANSWER_REORDERED),
            operations=acts,
            damages=frozenset({OrderClass.DUPLICATED}),
            conducted=True,
        ),
        Prediction(
            guard="inbox",
            because="an event that comes twice is reacted to twice",
            moments=(Moment.ANSWER_DUPLICATED,),
            operations=lead_on,
            damages=frozenset({OrderClass.DUPLICATED}),
            conducted=False,
        ),
        Prediction(
            guard="outbox",
            because="the event is lost between the commit and its publication",
            moments=(Moment.CRASH_AFTER_COMMIT,),
            operations=lead_on,
            damages=frozenset({OrderClass.STUCK, BROKEN_LAW}),
            conducted=False,
        ),
        Prediction(
            guard="retries",
            because="the first failure is final, and the order is undone though a second attempt would have done it",
            moments=(Moment.ERROR, Moment.HANG),
            operations=tuple(saga.gave_up),
            damages=frozenset({OrderClass.COMPENSATED}),
            whens=(ONCE,),
        ),
        Prediction(
            guard="compensation_retries",
            because="the first failure of a compensation leaves the saga to an operator",
            moments=(Moment.ERROR, Moment.HANG),
            operations=saga.undo,
            damages=frozenset({OrderClass.PARKED}),
            whens=(ONCE,),
        ),
        Prediction(
            guard="dead_letters",
            because="a message that has nowhere to go is dropped",
            moments=(Moment.ERROR, Moment.HANG),
            operations=nowhere_to_go,
            damages=frozenset({OrderClass.STUCK}),
            conducted=False,
            whens=(ALWAYS,),
        ),
        Prediction(
            guard="dead_letters",
            because="a message that cannot be read is dropped; if the order was opened its deadline finds it",
            moments=(Moment.POISON, Moment.UNKNOWN_VERSION, Moment.OVERSIZED),
            operations=saga.operations,
            damages=frozenset({OrderClass.STUCK, BROKEN_LAW}),
            conducted=False,
        ),
        Prediction(
            guard="tombstones",
            because="a step that its compensation has overtaken acts",
            moments=(Moment.REQUEST_REORDERED,),
            operations=tuple(saga.gave_up),
            damages=frozenset({OrderClass.HALF_DONE}),
            whens=(ALWAYS,),
        ),
        Prediction(
            guard="timeouts",
            because="nobody notices that nobody answers",
            moments=(Moment.HANG,),
            operations=saga.operations,
            damages=frozenset({OrderClass.STUCK}),
        ),
        Prediction(
            guard="semantic_lock",
            because="the order was shown as confirmed, and was undone",
            moments=tuple(m for m in Moment if m is not Moment.COORDINATOR_FORGOT),
            operations=saga.undo,
            damages=frozenset({LIED}),
        ),
        Prediction(
            guard="semantic_lock",
            because="the order was shown as confirmed, and was refused",
            moments=(Moment.REFUSED,),
            operations=tuple(o for o in saga.forward if o in saga.refusable),
            damages=frozenset({LIED}),
        ),
    )


@dataclass(slots=True, kw_only=True)
class Confirmation:
    """How many of the cells for which a damage is predicted show it, and which do not."""

    guard: str
    predicted: int = 0
    shown: int = 0
    contradicted: list[str] = field(default_factory=list)


def confirm(saga: Saga, guards: str, results: Sequence[CellResult]) -> Confirmation | None:
    """Theory against a sweep of depth 1 without one guard; None if there is none about it."""
    guard = guards.removeprefix("-")
    mine = [p for p in predictions(saga) if p.guard == guard]
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
