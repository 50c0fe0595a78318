"""The answer for a case: every criterion with its weight, the sum, and what would flip it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log

from kernel.errors import UsageError
from report.decision.case import QUESTIONS, Case
from report.decision.criterion import MOST_WEIGHT, Criterion, Evidence

NO_PREFERENCE = 0.1
"""A sum nearer to zero prefers neither style: the framework suggests a hybrid then."""
_NEAR = 20
_FACTORS = (1.1, 1.5, 2, 3, 5, 10, 30, 100, 1000, 10_000)


class Result(StrEnum):
    """What the criteria say, together."""

    CHOREOGRAPHY = "choreography"
    ORCHESTRATION = "orchestration"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One criterion in one case."""

    criterion: Criterion
    weight: int
    reason: str
    evidence: Evidence

    @property
    def points(self) -> int:
        """Weight times favour: above zero for orchestration."""
        return self.weight * self.evidence.favours


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A change of the case, or of a weight, that changes the result. `far`: how far it is, less is nearer, among those of its kind."""

    what: str
    result: Result
    far: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`share`: -1 (all for choreography) to 1 (all for orchestration). `why`: the rule that made the result."""

    case: Case
    lines: list[Line]
    share: float
    result: Result
    why: str


def decide(
    case: Case, criteria: Sequence[Criterion], weights: Mapping[str, int] | None = None
) -> Answer:
    """The answer for a case. `weights`: criterion -> weight in place of the one that follows from the case.

    Raise UsageError for a criterion that there is not, or a weight out of 0 to 5.
    """
    own = weights or {}
    names = [criterion.name for criterion in criteria]
    for name, weight in own.items():
        if name not in names or not 0 <= weight <= MOST_WEIGHT:
            raise UsageError(
                f"--weight {name!r}={weight}: a criterion and a weight from 0 to {MOST_WEIGHT}; criteria are {', '.join(names)}"
            )
    lines = []
    for criterion in criteria:
        weight, reason = criterion.weigh(case)
        if criterion.name in own:
            weight, reason = own[criterion.name], "set by you"
        lines.append(Line(criterion=criterion, weight=weight, reason=reason, evidence=criterion.evidence(case)))  # fmt: skip
    most = 2 * sum(line.weight for line in lines if line.evidence.favours) or 1
    share = sum(line.points for line in lines) / most
    result, why = _result(case, share)
    return Answer(case=case, lines=lines, share=share, result=result, why=why)


def _result(case: Case, share: float) -> tuple[Result, str]:
    if abs(share) < NO_PREFERENCE:
        return Result.HYBRID, "the criteria prefer neither style: orchestrate what must be consistent, publish the rest"  # fmt: skip
    if share < 0:
        return Result.CHOREOGRAPHY, "the criteria together speak for it"
    if case.listeners > 1 and case.teams > 1:
        return Result.HYBRID, f"the saga itself speaks for orchestration, {case.listeners} listeners of {case.teams} teams for events: orchestrate the saga, publish what happened"  # fmt: skip
    return Result.ORCHESTRATION, "the criteria together speak for it"


def flips(answer: Answer, criteria: Sequence[Criterion], weights: Mapping[str, int] | None = None) -> list[Flip]:  # fmt: skip
    """What would change the result: one key of the case, then one weight, each the nearest first."""
    keys = [flip for key in QUESTIONS if (flip := _flip_by(answer, key, criteria, weights))]
    found = sorted(keys, key=lambda flip: flip.far)
    own: list[Flip] = []
    for line in answer.lines:
        for weight in sorted(range(MOST_WEIGHT + 1), key=lambda w: abs(w - line.weight)):
            other = decide(answer.case, criteria, {**(weights or {}), line.criterion.name: weight})
            if other.result != answer.result:
                what = f"weight of '{line.criterion.name}' {weight} instead of {line.weight}"
                own.append(Flip(what=what, result=other.result, far=abs(weight - line.weight)))
                break
    return [*found, *sorted(own, key=lambda flip: flip.far)]


def _flip_by(answer: Answer, key: str, criteria: Sequence[Criterion], weights: Mapping[str, int] | None) -> Flip | None:  # fmt: skip
    value = getattr(answer.case, key)
    for far, candidate in _others(key, value):
        values = answer.case.as_dict() | {key: candidate}
        other = decide(Case.of(values, where=key), criteria, weights)
        if other.result != answer.result:
            what = f"{key} {_shown(candidate)} instead of {_shown(value)}"
            return Flip(what=what, result=other.result, far=far)
    return None


def _others(key: str, value: float | bool) -> list[tuple[float, float | bool]]:  # noqa: FBT001 - an answer
    """(how far, value) of the other answers that are tried, the nearest first: by factors, and whole numbers one by one."""
    if isinstance(value, bool):
        return [(0.0, not value)]
    question, kind = QUESTIONS[key], type(value)
    base = value or 1.0
    tried = {kind(v) for factor in _FACTORS for v in (base * factor, base / factor)} | {kind(0)}
    if kind is int:
        tried |= {int(value) + step for step in range(-_NEAR, _NEAR + 1)}
    valid = (v for v in tried if v != value and question.least <= v <= question.most)
    return sorted((abs(log(max(v, 1e-9) / base)), v) for v in valid)


def _shown(value: float | bool) -> str:  # noqa: FBT001 - it is what is shown
    return str(value).lower() if isinstance(value, bool) else f"{value:.12g}"
