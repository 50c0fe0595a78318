"""The answer as tables and sentences: for a terminal, a page and a program."""

from collections.abc import Sequence
from typing import Any

from report.decision.answer import Answer, Flip, Result
from report.decision.case import QUESTIONS
from report.decision.figures import command_of_guards, prevented
from report.text_table import Row
from scenarios.styles.index import STYLES

COLUMNS = ("criterion", "factor", "choreography", "orchestration", "speaks for", "weight", "why this weight", "evidence")  # fmt: skip
MOST_FLIPS = 5
_FAVOURS = {
    -2: "choreography, clearly",
    -1: "choreography",
    0: "neither",
    1: "orchestration",
    2: "orchestration, clearly",
}


def lines(answer: Answer) -> list[Row]:
    """One line for each criterion, the heaviest first."""
    ordered = sorted(answer.lines, key=lambda line: (-abs(line.points), -line.weight))
    return [
        (
            line.criterion.name,
            line.criterion.factor,
            line.evidence.choreography,
            line.evidence.orchestration,
            _FAVOURS[line.evidence.favours],
            str(line.weight),
            line.reason,
            line.evidence.source,
        )
        for line in ordered
    ]


def in_words(answer: Answer) -> str:
    """The result and the rule that made it, in one sentence."""
    for_it = sum(max(0, line.points) for line in answer.lines)
    against = -sum(min(0, line.points) for line in answer.lines)
    return (
        f"For this case: {answer.result}. {for_it} points for orchestration, {against} for choreography"
        f" (weight times how clearly the evidence speaks); {answer.why}."
    )


def what_flips(found: Sequence[Flip]) -> list[str]:
    """What would change the result: answers, then weights, each the nearest first."""
    if not found:
        return ["No single answer or weight changes this result."]
    return [f"{flip.what}: {flip.result}" for flip in found[:MOST_FLIPS]]


def build_first(answer: Answer) -> list[str]:
    """Safeguards by what they prevent, for the style of the result; a hybrid needs those of both."""
    styles = tuple(STYLES) if answer.result is Result.HYBRID else (str(answer.result),)
    found = []
    for one in prevented():
        needed = [style for style in styles if one.guard not in STYLES[style].guards_without]
        counts = " and ".join(f"{one.in_style(style)} in {style}" for style in needed)
        if any(one.cells[style][0] for style in needed):
            found.append(f"{one.guard}: without it {one.otherwise} ({counts} single faults)")
        elif needed:
            found.append(f"{one.guard}: without it {one.otherwise}")
    return found


def as_document(answer: Answer, found: Sequence[Flip]) -> dict[str, Any]:
    """Everything, for a program."""
    return {
        "schema": 1,
        "ok": True,
        "case": answer.case.as_dict(),
        "result": str(answer.result),
        "share": round(answer.share, 3),
        "why": answer.why,
        "criteria": [dict(zip(COLUMNS, line, strict=True)) for line in lines(answer)],
        "flips": what_flips(found),
        "build_first": build_first(answer),
        "guards_counted_by": command_of_guards(),
        "questions": {key: question.words for key, question in QUESTIONS.items()},
    }
