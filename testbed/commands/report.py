"""`saga report`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from kernel.errors import UsageError
from report.decision.answer import decide
from report.decision.case import Case, read_case
from report.decision.criteria import CRITERIA
from report.page import FORMATS, write_report
from testbed.execution import show
from testbed.load import collected
from testbed.options import AsJson


def report(
    folder: Annotated[Path, typer.Argument(help="A run folder, or a folder of run folders.")],
    formats: Annotated[
        str, typer.Option("--format", help="html, md, csv, json, or several with commas.")
    ] = "html",
    out: Annotated[
        Path | None, typer.Option(help="Output folder; default: report/ inside the run folder.")
    ] = None,
    case: Annotated[
        Path | None,
        typer.Option(help="File of saga decide: adds the section that weighs both styles for it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the report of finished runs: page, charts and tables. Includes what sweep, ablate and traceability wrote there."""
    wanted = _formats(formats)
    answer = decide(Case.of(read_case(case), where=str(case)), CRITERIA) if case else None
    found = collected(folder)
    found.answer = answer
    written = write_report(found, out or folder / "report", formats=wanted)
    if as_json:
        files = {name: str(path) for name, path in written.items()}
        print(json.dumps({"schema": 1, "ok": True, "runs": len(found.rows), "written": files}))
        return
    show(found.rows)
    for text in found.left_out:
        print(f"left out: {text}")
    for name, path in written.items():
        print(f"{path}/runs.csv, orders.csv, and one for each section" if name == "csv" else path)


def _formats(text: str) -> list[str]:
    """Names of report formats from a list with commas."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"unknown format {name!r}: use {', '.join(FORMATS)}")
    return names
