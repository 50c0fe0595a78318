"""`saga check`."""

import json
from typing import Annotated

import typer

from kernel.loading import read_saga
from scenarios.checks.index import findings_of
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA
from testbed.options import AsJson


def check(
    saga: Annotated[
        str, typer.Argument(metavar="NAME|FOLDER", help="A built-in saga, or a folder of yours.")
    ],
    as_json: AsJson = False,
) -> None:
    """Check that a saga's rules, reactions and state machines agree with its rows, without running a saga."""
    found = list(findings_of(read_saga(saga)))
    code = Exit.NOT_AS_EXPECTED if found else Exit.AS_EXPECTED
    if as_json:
        rows = [
            {"file": f.place.file, "line": f.place.line, "says": f.says, "costs": f.costs}
            for f in found
        ]
        print(json.dumps({"schema": SCHEMA, "ok": not found, "exit_code": code, "findings": rows}))
    else:
        for finding in found:
            print(f"{finding}\n    costs: {finding.costs}")
        print(f"{saga}: {len(found) or 'nothing'} to mend")
    raise typer.Exit(code)
