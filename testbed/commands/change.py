"""`saga change`."""

import json
import secrets
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bench.changes.cost import Touched, touched
from bench.changes.folders import changes, described, make
from report.change_tables import COLUMNS, lines
from report.text_table import rich_table
from testbed.commands.new import TEMPLATE
from testbed.execution import wide
from testbed.options import AsJson


def change(
    name: Annotated[
        str, typer.Argument(help="One change; default: all. An unknown name lists them.")
    ] = "",
    make_in: Annotated[
        Path | None,
        typer.Option("--make", help="Also make the saga folders before and after in this folder, to look at and run."),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show what a change of the flow touches in each style: services, files, lines, order of deployment.

    Computed from the saga folders before and after the change; nothing is run. The saga is the one that `saga new` makes.
    """
    names = [name] if name else changes()
    found = {one: cost_of(one, make_in) for one in names}
    if as_json:
        document = {one: [asdict(t) for t in each] for one, each in found.items()}
        print(json.dumps({"schema": 1, "ok": True, "changes": document}))
        return
    rows = [line for one, each in found.items() for line in lines(described(one)["words"], each)]
    wide().print(rich_table("What a change touches", COLUMNS, rows, ruled=True))
    print("How it is computed, and what it does not say: docs/changes.md")


def cost_of(name: str, make_in: Path | None = None) -> list[Touched]:
    """What a change touches in each style. Raise UsageError if there is none of that name."""
    with tempfile.TemporaryDirectory() as scratch:
        home = make_in or Path(scratch)
        home.mkdir(parents=True, exist_ok=True)
        # A package of one name is loaded once in a process.
        own = name if make_in else f"{name}_{secrets.token_hex(4)}"
        before = make(described(name)["base"], template=TEMPLATE, into=home / f"before_{own}")
        return touched(before, make(name, template=TEMPLATE, into=home / f"after_{own}"))
