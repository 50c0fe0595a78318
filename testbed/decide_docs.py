"""docs/decide.md: how `saga decide` weighs, every figure that it argues with, and three worked cases."""

from pathlib import Path

from report.decision.answer import decide, flips
from report.decision.case import QUESTIONS, Case, read_case
from report.decision.criteria import CRITERIA
from report.decision.figures import command_of_guards, measured, prevented, published
from report.decision.tables import COLUMNS, build_first, in_words, lines, what_flips
from report.text_table import markdown

CASES = Path(__file__).parents[1] / "docs" / "cases"
WORKED = {
    "approval": "A purchase flow with a human approval",
    "marketplace": "A marketplace's checkout with many listeners",
    "sensors": "A factory's readings",
}
_START = """# Which style for me?

`saga decide` weighs choreography against orchestration for a case of yours. It asks its questions one by one, or takes them from a file or from options:

```console
$ saga decide --case docs/cases/approval.yaml
$ saga decide --case docs/cases/approval.yaml --listeners 4 --weight "overload=3"
$ saga report runs/DEMO --case docs/cases/approval.yaml     # the same as a section of a report
```

The result is never alone. It comes with every criterion and its evidence, the changes that would give another result, and the safeguards to build first.

## How it weighs
The factors *coupling, chattiness, visibility, design*, a weighted score, and a hybrid where neither style is preferred are from Megargel, Poskitt and Shankararaman, "Microservices Orchestration vs.
Choreography: A Decision Framework" (EDOC 2021, [10.1109/EDOC52215.2021.00024](https://doi.org/10.1109/EDOC52215.2021.00024)). The weights are not from there. They follow from your answers by rules that each line shows, and `--weight` sets any of them.

1. Each criterion speaks for the style with the lower figure: *clearly* (2 points) from a factor of 2, otherwise 1 point from 10 % on, and not at all below that. Two published facts of AWS speak without a
   ratio: an execution may wait for a person (1 point for orchestration), and a payload beyond its limit is impossible (2 points for choreography).
2. Points times weight (0 to 5) are added up and divided by the most that was possible. Below 0.1 either way, neither style is preferred: the result is *hybrid*.
3. If the sum speaks for orchestration, and two or more listeners belong to more than one team, the result is *hybrid*, too: orchestrate the saga, and publish what happened for the listeners.
4. A figure that does not apply to your case (another pair, another payload, AWS instead of one machine) is not shown. The cell says why, and counts for neither style. The same holds for what is not measured here.

## The questions
"""


def decide_page() -> str:
    """The whole page."""
    questions = [
        (f"`{key}`", question.words, f"{question.least:g} to {question.most:g}")
        for key, question in QUESTIONS.items()
    ]
    parts = [_START + markdown(("key", "what it is", "range"), questions)]
    parts.append("## The figures\nMeasured here, less being better:\n")
    own = [
        (f.what, f.choreography[1], f.orchestration[1], f.source(), f"[{f.doc}]({f.doc})")
        for f in measured().values()
    ]
    parts.append(markdown(("figure", "choreography", "orchestration", "command, date, pair", "where"), own))  # fmt: skip
    parts.append("Published by others:\n")
    parts.append(
        markdown(
            ("figure", "value", "source"),
            [(f.what, f.text, f.source()) for f in published().values()],
        )
    )
    parts.append(
        f"Single faults that end inconsistent without a safeguard ({command_of_guards()}):\n"
    )
    guards = [
        (p.guard, *(p.in_style(style) for style in p.cells), p.otherwise) for p in prevented()
    ]
    parts.append(markdown(("safeguard", *prevented()[0].cells, "without it"), guards))
    parts.append("## Three worked cases\n")
    parts += [_worked(name, title) for name, title in WORKED.items()]
    return "\n".join(parts)


def _worked(name: str, title: str) -> str:
    path = CASES / f"{name}.yaml"
    answer = decide(Case.of(read_case(path), where=path.name), CRITERIA)
    flipping = "\n".join(f"- {text}" for text in what_flips(flips(answer, CRITERIA)))
    first = "\n".join(f"- {text}" for text in build_first(answer)[:4])
    return (
        f"### {title}\n`saga decide --case docs/cases/{name}.yaml`\n\n```yaml\n{path.read_text(encoding='utf-8')}```\n\n"
        f"**{in_words(answer)}**\n\n{markdown(COLUMNS, lines(answer))}\n"
        f"What would change it:\n\n{flipping}\n\nWhat to build first:\n\n{first}\n"
    )
