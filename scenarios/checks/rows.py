"""What the rows say a saga does, if each operation answers what a script says."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kernel.orders import CANCELLED, CONFIRMED, REJECTED
from kernel.saga import Saga
from kernel.steps import Stage, Step

PARKED = "PARKED"
FAILS = "that fails"
LATE = "that does not answer in time"
LARGE = "with an answer larger than a message may be"
ODD = "with an answer that nobody expects"
BROKEN = (FAILS, LATE, LARGE, ODD)
"""What may come instead of an answer; each makes a step give up."""
Script = Mapping[str, str]
"""Operation -> its answer, or one of BROKEN; what is not there is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What was called, in order: operations in one tuple at the same time. `status`: how it ends."""

    calls: tuple[tuple[str, ...], ...]
    status: str


def walk(saga: Saga, variant: str, script: Script) -> Walk:
    """The whole saga by its rows."""
    calls: list[tuple[str, ...]] = []
    status = ""
    stages = saga.stages(variant)
    for number, stage in enumerate(stages):
        calls.append(tuple(step.name for step in stage))
        bad = [step for step in stage if _answer(step, script) != step.done.__name__]
        if not bad:
            continue
        if any(_answer(step, script) in BROKEN and not step.gave_up for step in bad):
            status = PARKED
        elif number == 0:
            status = REJECTED
        else:
            status = _back(stages, number, script, calls)
        if status:
            return Walk(calls=tuple(calls), status=status)
    return Walk(calls=tuple(calls), status=CONFIRMED)


def _back(
    stages: tuple[Stage, ...], number: int, script: Script, calls: list[tuple[str, ...]]
) -> str:
    """Undo from this stage on; the status, "" if a pivot was done after all and the saga goes forward."""
    refused = [s for s in stages[number] if s.refused and _answer(s, script) == s.refused.__name__]
    for stage in (tuple(s for s in stages[number] if s not in refused), *reversed(stages[:number])):
        undoes = {s.undo.__name__: s for s in stage if s.undo}
        if not undoes:
            continue
        calls.append(tuple(undoes))
        for undo, step in undoes.items():
            answer = script.get(undo, "")
            if answer in BROKEN:
                return PARKED
            if step.kept and answer == step.kept.__name__:
                return ""
    return CANCELLED


def _answer(step: Step, script: Script) -> str:
    return script.get(step.name, step.done.__name__)


def scripts(saga: Saga, variant: str) -> Iterator[Script]:
    """Every way on which one operation answers something else than usual, and for steps at the same time, every combination."""
    yield {}
    stages = saga.stages(variant)
    for number, stage in enumerate(stages):
        for answers in itertools.product(*map(_possible, stage)):
            script = {s.name: a for s, a in zip(stage, answers, strict=True) if a}
            if script and len([a for a in script.values() if a in BROKEN]) <= 1:
                yield script
        turning = _turning(stages[number + 1 :])
        for step in stage:
            if step.undo and step.kept:
                kept, undo = step.kept.__name__, step.undo.__name__
                for answer in (kept, FAILS, ODD):
                    yield {step.name: FAILS, undo: answer}
            elif step.undo and turning and turning.refused:
                yield {turning.name: turning.refused.__name__, step.undo.__name__: FAILS}


def _possible(step: Step) -> tuple[str, ...]:
    return ("", *([step.refused.__name__] if step.refused else ()), *BROKEN)


def _turning(later: tuple[Stage, ...]) -> Step | None:
    """The first step after a stage that may be refused, so that the stage is undone."""
    return next((step for stage in later for step in stage if step.refused), None)
