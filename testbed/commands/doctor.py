"""`saga doctor`: what works on this machine, what earlier runs have left, and what to do about it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kernel.errors import UsageError
from kernel.scratch import leftovers
from report.text_table import plain
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA, is_run, read_json
from scenarios.runs.interrupted import INTERRUPTED, status_of
from testbed.execution import wide
from testbed.laptop import Check, checks
from testbed.options import AsJson

LOOKS = {"ok": "green", "note": "yellow", "bad": "bold red"}


def doctor(
    runs: Annotated[Path, typer.Option(help="Folder of run folders.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Say what works on this machine, what killed or interrupted runs have left, and what to do about it.

    Takes ten seconds at most: RabbitMQ is started once. Exit code 1 = the demo cannot run, not even with the embedded broker.
    """
    with Console(stderr=True).status("Looking at this machine"):
        found = [*checks(runs), *_left(runs)]
    bad = [check for check in found if check.state == "bad"]
    code = Exit.NOT_AS_EXPECTED if bad else Exit.AS_EXPECTED
    if as_json:
        rows = [check.as_json() for check in found]
        print(json.dumps({"schema": SCHEMA, "ok": not bad, "exit_code": code, "found": rows}))
    else:
        wide().print(_table(found))
        print(_summary(found))
    raise typer.Exit(code)


def _table(found: list[Check]) -> Table:
    """One line a check, its state in words and colour."""
    table = Table("", "what", "found", "what to do")
    for check in found:
        state = Text(check.state, style=LOOKS[check.state])
        table.add_row(state, check.what, plain(check.words), plain(check.do))
    return table


def _summary(found: list[Check]) -> str:
    """What follows for the demo."""
    bad = [check.what for check in found if check.state == "bad"]
    if bad:
        return f"The demo cannot run here: {', '.join(bad)}."
    real = any(check.what == "RabbitMQ" and check.state == "ok" for check in found)
    return f"The demo can run here, {'with RabbitMQ' if real else 'with the embedded broker'}."


def _left(runs: Path) -> Iterator[Check]:
    """What killed processes and interrupted runs have left."""
    try:
        left = len(leftovers())
    except FileNotFoundError:
        left = 0  # there is no folder for temporary files, which is a line of its own
    yield Check(
        what="left behind", state="note" if left else "ok",
        words=f"{left} temporary folders of killed processes" if left else "no temporary folder of a killed process",
        do="nothing: the next run removes them" if left else "",
    )  # fmt: skip
    for path in sorted(runs.rglob("run.json")) if runs.is_dir() else ():
        if not is_run(path):
            continue
        name = path.parent.name
        try:
            if status_of(path.parent, read_json(path)) == INTERRUPTED:
                again = f"saga run --resume {path.parent}, or delete the folder"
                yield Check(what=name, state="note", words="was interrupted", do=again)
        except UsageError as error:
            yield Check(what=name, state="note", words=str(error), do="delete the folder")
