"""`saga lab`: the lessons of a workshop."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA
from testbed.labs import folders
from testbed.labs.answers import Answered, score
from testbed.labs.check import PRINTED, checked, lines_of
from testbed.labs.lab import ANSWERS, SHEET, SOLUTION, Lab, complete_labs, every_lab, find_lab
from testbed.options import AsJson

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Lessons of a workshop, in which you write the code: list them, start one, have it checked.",
)
Wanted = Annotated[
    str,
    typer.Argument(
        metavar="LAB",
        help="Number or name, as saga lab list shows it.",
        autocompletion=complete_labs,
    ),
]
Where = Annotated[
    str | None,
    typer.Argument(metavar="[DIR]", help="The lab's folder. Default: this one, or labN below it."),
]


@app.command("list")
def list_labs(as_json: AsJson = False) -> None:
    """List the labs: number, name, minutes, goal."""
    if as_json:
        rows = [
            {"number": lab.number, "name": lab.name, "title": lab.title, "minutes": lab.minutes}
            for lab in every_lab()
        ]
        print(json.dumps({"schema": SCHEMA, "ok": True, "labs": rows}))
        return
    for lab in every_lab():
        print(f"{lab.number}  {lab.title} ({lab.name[3:]}, {lab.minutes} minutes)\n   {lab.goal}")


@app.command()
def start(
    lab: Wanted,
    folder: Annotated[
        str | None, typer.Argument(metavar="[DIR]", help="Where to; it must be new. Default: labN.")
    ] = None,
) -> None:
    """Make a folder with the sheet and the files that you edit."""
    chosen = find_lab(lab)
    made = folders.start(chosen, folder or chosen.usual_folder)
    print(
        f"{made}: lab {chosen.number}, {chosen.title}, {chosen.minutes} minutes\n"
        f"  read   {made / SHEET}\n"
        f"  edit   {', '.join(str(made / name) for name in chosen.listed('edit'))}\n"
        f"  check  saga lab check {chosen.number}{_named(chosen, made)}"
    )


@app.command()
def check(lab: Wanted, folder: Where = None, as_json: AsJson = False) -> None:
    """Grade what you have written: which parts pass, the first that fails, and one hint.

    Exit code 0 = passed, 1 = not yet, 2 = it cannot be read.
    """
    chosen = find_lab(lab)
    where = folders.opened(chosen, folder)
    if chosen.kind == ANSWERS:
        _scored(chosen, where, as_json=as_json)
    try:
        found = checked(chosen, where)
    except KeyboardInterrupt:
        print("interrupted: nothing is changed", file=sys.stderr)
        raise
    code = Exit.AS_EXPECTED if found.passed else Exit.NOT_AS_EXPECTED
    if as_json:
        rows = [
            {"part": part, "style": style, "passed": k, "of": n}
            for (part, style), (k, n) in found.groups.items()
        ]
        document = {"schema": SCHEMA, "ok": found.passed, "exit_code": code, "parts": rows}
        first = {
            "failing": found.failing,
            "why": found.why,
            "replay": found.again,
            "hint": found.hint,
        }
        print(json.dumps(document | first))
    else:
        print("\n".join(lines_of(chosen, found)))
        if size := (where / PRINTED).stat().st_size:
            print(f"Your code has printed {size} bytes: {where / PRINTED}", file=sys.stderr)
    raise typer.Exit(code)


@app.command()
def hint(
    lab: Wanted,
    step: Annotated[int, typer.Argument(min=1, help="1 is the gentlest.")] = 1,
) -> None:
    """Show one hint after the other."""
    chosen = find_lab(lab)
    number = min(step, len(chosen.hints))
    print(f"{number} of {len(chosen.hints)}: {chosen.hints[number - 1].says}")
    if number < len(chosen.hints):
        print(f"The next one: saga lab hint {chosen.number} {number + 1}")


@app.command()
def solve(
    lab: Wanted,
    folder: Annotated[
        str | None,
        typer.Argument(metavar="[DIR]", help="Where to; it must be new. Default: labN_solution."),
    ] = None,
) -> None:
    """Make a folder with the solution, beside yours, which is not touched."""
    chosen = find_lab(lab)
    made = folders.solve(chosen, folder or f"{chosen.usual_folder}_solution")
    print(
        f"{made}: the solution of lab {chosen.number}, {chosen.title}\n"
        f"  read     {made / SOLUTION}\n"
        f"  compare  diff -ru {chosen.usual_folder} {made}"
    )


def _named(lab: Lab, folder: Path) -> str:
    return "" if str(folder) == lab.usual_folder else f" {folder}"


def _scored(lab: Lab, folder: Path, *, as_json: bool) -> None:
    """Show how many answers are right."""
    answers = score(lab, folder)
    right = sum(answer.right for answer in answers)
    wrong = next((answer for answer in answers if not answer.right), None)
    code = Exit.AS_EXPECTED if wrong is None else Exit.NOT_AS_EXPECTED
    said = lab.hint(wrong.key) if wrong else ""
    if as_json:
        document = {"schema": SCHEMA, "ok": wrong is None, "exit_code": code, "hint": said}
        print(json.dumps(document | {"answers": [asdict(answer) for answer in answers]}))
        raise typer.Exit(code)
    for answer in answers:
        print(f"{answer.key}  {_mark(answer):6}  {answer.given}".rstrip())
    print(f"{right} of {len(answers)} are right.")
    print(f"Hint: {said}" if wrong else f"Passed: lab {lab.number}, {lab.title}.")
    raise typer.Exit(code)


def _mark(answer: Answered) -> str:
    if not answer.given:
        return "open"
    return "right" if answer.right else "wrong"
