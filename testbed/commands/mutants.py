"""`saga check-oracle --mutants`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import typer

from kernel.errors import UsageError
from report.mutant_tables import by_operator, by_rule, every, summary, survivors
from report.text_table import markdown, rich_table
from scenarios.campaigns.mutants import campaign as campaigns
from scenarios.campaigns.mutants.campaign import GOAL_RATIO, Campaign, Row, ratio
from scenarios.campaigns.mutants.hunt import KILLED, SURVIVED, Hunted
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA
from testbed.execution import wide
from testbed.progress import counting
from testbed.runs import in_hand, suite_folder

SUMMARY = "summary.json"
SHOWN = 40
"""Most survivors on the screen; all of them stand in survivors.md."""


def check_by_mutants(wanted: Campaign, *, resume: Path | None, out: Path, as_json: bool) -> None:
    """Make and hunt mutants; leaves the table, and ends the program."""
    if not wanted.wanted():
        raise UsageError("no mutant has all of these options: leave one of them out")
    if resume is not None and not (resume / campaigns.SETTINGS).exists():
        raise UsageError(f"{resume} is no folder of mutants: leave --resume out to begin one")
    folder = resume or suite_folder(out, f"mutants-s{wanted.seed}")
    with in_hand(folder):
        campaigns.begin(folder, wanted)
        _hunt(wanted, folder)
        rows = campaigns.table(folder)
        _leave(folder, rows)
    code = exit_code(rows)
    if as_json:
        print(json.dumps(_document(wanted, folder, rows, code)))
    else:
        _print(rows, folder)
    raise typer.Exit(code)


def exit_code(rows: Sequence[Row]) -> Exit:
    """Enough of those that are not equivalent must be killed, and none of those that are said to be."""
    killed, counted = ratio(rows)
    enough = killed >= GOAL_RATIO * counted
    contradicted = any(row.contradicted for row in rows)
    return Exit.AS_EXPECTED if enough and not contradicted else Exit.NOT_AS_EXPECTED


def _hunt(wanted: Campaign, folder: Path) -> None:
    known = len(campaigns.results(folder))
    with counting("mutants", len(wanted.wanted()), begun=known) as one_more:

        def done(one: Hunted) -> None:
            one_more(f"{one.mutant}, {one.style}: {SURVIVED}" if one.outcome == SURVIVED else "")

        try:
            campaigns.run_campaign(wanted, folder, done=done)
        except KeyboardInterrupt:
            print(
                f"interrupted: continue with --resume {folder} and the same options",
                file=sys.stderr,
            )
            raise


def _leave(folder: Path, rows: Sequence[Row]) -> None:
    """The tables as documents, and what docs/oracle.md shows of them."""
    (folder / SUMMARY).write_text(as_summary(folder, rows), encoding="utf-8")
    title = f"# Mutants\n\n{summary(rows)}\n\n"
    (folder / "table.md").write_text(
        title + markdown(*by_operator(rows)) + "\n" + markdown(*every(rows)), encoding="utf-8"
    )
    (folder / "survivors.md").write_text(title + markdown(*survivors(rows)), encoding="utf-8")


def as_summary(folder: Path, rows: Sequence[Row]) -> str:
    """What is kept of a table in docs/mutants: as JSON, with its command and date."""
    tables = {
        "by_operator": by_operator(rows),
        "by_rule": by_rule(rows),
        "survivors": survivors(rows),
    }
    document = {
        "schema": SCHEMA,
        "command": campaigns.campaign_of(folder).command(),
        "date": campaigns.date_of(folder),
        "summary": summary(rows),
        "mutants": len({row.mutant for row in rows}),
        **{name: {"columns": columns, "lines": lines} for name, (columns, lines) in tables.items()},
    }
    return json.dumps(document, indent=1) + "\n"


def _print(rows: Sequence[Row], folder: Path) -> None:
    console = wide()
    console.print(rich_table("Mutants by operator", *by_operator(rows)))
    console.print(rich_table("Kills by rule", *by_rule(rows)))
    columns, lines = survivors(rows)
    if lines:
        title = f"Survivors{f', the first {SHOWN} of {len(lines)}' if len(lines) > SHOWN else ''}"
        console.print(rich_table(title, columns, lines[:SHOWN]))
    print(summary(rows))
    for row in rows:
        if row.contradicted:
            print(
                f"{row.mutant}, {row.style}: listed as equivalent, and {KILLED} all the same: {row.rules[0]}"
            )
    print(f"Every mutant, with what killed it: {folder / 'table.md'}")


def _document(wanted: Campaign, folder: Path, rows: Sequence[Row], code: Exit) -> dict[str, object]:
    killed, counted = ratio(rows)
    return {
        "schema": SCHEMA,
        "ok": code == Exit.AS_EXPECTED,
        "exit_code": code,
        "folder": str(folder),
        "command": wanted.command(),
        "killed": killed,
        "counted": counted,
        "mutants": [asdict(row) for row in rows],
    }
