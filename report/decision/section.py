"""The answer for a case as a section of the report."""

from report.decision.answer import flips
from report.decision.criteria import CRITERIA
from report.decision.tables import COLUMNS, build_first, in_words, lines, what_flips
from report.found import Found
from report.section import Section


def decision(found: Found) -> Section | None:
    """Which style suits the case that was given, if one was."""
    if found.answer is None:
        return None
    case = found.answer.case.as_dict()
    options = " ".join(f"--{key.replace('_', '-')} {_plain(value)}" for key, value in case.items())
    return Section(
        name="decision",
        title="Which style for this case?",
        answer=in_words(found.answer),
        points=[
            *(f"Would change it: {text}" for text in what_flips(flips(found.answer, CRITERIA))),
            *(f"Build first: {text}" for text in build_first(found.answer)),
        ],
        reading="One line per criterion: what is known of both styles, which one that speaks for, and how much it weighs in this case. Points are the weight times 1 or 2 (clearly).",
        not_reading="A sum of weights is an aid to a discussion: change an answer or a weight and see what happens (saga decide --weight). What is not measured here counts for neither style.",
        command=f"saga decide {options}",
        figure=None,
        table=(COLUMNS, lines(found.answer)),
    )


def _plain(value: float) -> str:
    return f"{float(value):g}"
