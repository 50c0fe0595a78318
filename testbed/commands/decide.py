"""`saga decide`."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from kernel.errors import UsageError
from report.decision.answer import Answer, decide, flips
from report.decision.case import QUESTIONS, Case, read_case
from report.decision.criteria import CRITERIA
from report.decision.figures import command_of_guards
from report.decision.tables import COLUMNS, as_document, build_first, in_words, lines, what_flips
from report.tables import LEAST_COLUMNS
from report.text_table import rich_table
from testbed.execution import wide
from testbed.options import AsJson


def _asked(key: str) -> Any:
    question = QUESTIONS[key]
    words = question.words[0].upper() + question.words[1:]
    return typer.Option(help=f"{words}, as in {question.example:g}.", show_default=False)


def decide_for(
    case: Annotated[
        Path | None,
        typer.Option(help="YAML or JSON file with the answers, one `key: value` a line (docs/decide.md)."),
    ] = None,
    steps: Annotated[float | None, _asked("steps")] = None,
    services: Annotated[float | None, _asked("services")] = None,
    teams: Annotated[float | None, _asked("teams")] = None,
    orders_per_s: Annotated[float | None, _asked("orders_per_s")] = None,
    orders_per_day: Annotated[float | None, _asked("orders_per_day")] = None,
    refused_ratio: Annotated[float | None, _asked("refused_ratio")] = None,
    slowest_step_s: Annotated[float | None, _asked("slowest_step_s")] = None,
    longest_wait_s: Annotated[float | None, _asked("longest_wait_s")] = None,
    changes_per_year: Annotated[float | None, _asked("changes_per_year")] = None,
    listeners: Annotated[float | None, _asked("listeners")] = None,
    payload_kib: Annotated[float | None, _asked("payload_kib")] = None,
    inconsistent_order_usd: Annotated[float | None, _asked("inconsistent_order_usd")] = None,
    aws: Annotated[float | None, _asked("aws")] = None,
    broker_usd_per_month: Annotated[float | None, _asked("broker_usd_per_month")] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="CRITERION=0..5", help="Weight of a criterion in place of the one that follows from the case; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Weigh both styles for a case of your own: every criterion with its evidence, and what would flip the result.

    Answers that neither --case nor an option gives are asked for, on a terminal.
    """
    given = {
        key: value for key, value in locals().items() if key in QUESTIONS and value is not None
    }
    values = (read_case(case) if case else {}) | given
    where = str(case) if case else "options"
    if sys.stdin.isatty() and not as_json and not case:
        values |= {key: _ask(key) for key in QUESTIONS if key not in values}
    chosen = Case.of(values, where=where)
    weights = _weights(weight or [])
    answer = decide(chosen, CRITERIA, weights)
    found = flips(answer, CRITERIA, weights)
    if as_json:
        print(json.dumps(as_document(answer, found)))
        return
    _show(answer, what_flips(found))


def _ask(key: str) -> Any:
    question = QUESTIONS[key]
    return typer.prompt(f"{key}: {question.words}", default=question.example, type=float)


def _weights(texts: list[str]) -> dict[str, int]:
    found = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        if not number.isdecimal():
            raise UsageError(
                f"--weight {text!r}: write CRITERION=0 to 5, as in --weight overload=3"
            )
        found[name] = int(number)
    return found


def _show(answer: Answer, flipping: list[str]) -> None:
    console = wide()
    console.print(_table(answer, console), highlight=False)
    sources = [] if console.width >= LEAST_COLUMNS else _sources(answer)
    for title, items in (
        ("Where each figure is from", sources),
        ("What would change it (answers, then weights; the nearest first)", flipping),
        (f"What to build first, by what it prevents ({command_of_guards()})", build_first(answer)),
    ):
        if not items:
            continue
        print(f"\n{title}:")
        for line in items:
            print(f"  - {line}")
    print(f"\n{in_words(answer)}")
    print("What each figure is, and what the weights follow from: docs/decide.md")


def _sources(answer: Answer) -> list[str]:
    rows = (dict(zip(COLUMNS, line, strict=True)) for line in lines(answer))
    return [f"{row['criterion']}: {row['evidence']}; weight {row['weight']}: {row['why this weight']}" for row in rows]  # fmt: skip


def _table(answer: Answer, console: Console) -> Table:
    narrow = console.width < LEAST_COLUMNS
    shown = [name for name in COLUMNS if not narrow or name not in ("factor", "why this weight", "evidence")]  # fmt: skip
    rows = [
        tuple(cell for name, cell in zip(COLUMNS, line, strict=True) if name in shown)
        for line in lines(answer)
    ]
    return rich_table("Both styles for this case", shown, rows, ruled=True)
