"""`saga explore --every-bug`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from kernel.saga import Saga
from report.exploration import hunted_markdown, hunted_table
from scenarios.campaigns.check_oracle import chosen_bugs
from scenarios.campaigns.simulation.finding import Finding
from scenarios.campaigns.simulation.hunt import Hunted, hunt
from scenarios.campaigns.simulation.shrink import size
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA
from testbed.execution import wide
from testbed.findings import leave, story_of
from testbed.progress import counting
from testbed.runs import suite_folder

STORIES = """# One story for each planted bug

Made by `saga explore --every-bug --runs 5000`: what is left of the first schedule in which each bug of [planted_bugs.md](planted_bugs.md) showed, once everything is left out
that it shows without. Times are seconds of the policy; a `*` is a fault that strikes; every other line is a row in a participant's ledger, or a call that brought none.
See [simulation.md](simulation.md).
"""


def hunt_every_bug(
    saga: Saga,
    styles: Sequence[str],
    faults: tuple[int, int],
    *,
    runs: int,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Every planted bug in every style that can have it; leaves tables and stories, and ends the program."""
    bugs = chosen_bugs(saga, [])
    folder = suite_folder(out, f"explore-bugs-s{seed}")
    total = sum(style in styles for bug in bugs for style in bug.found_by)
    hunted: list[Hunted] = []
    with counting("hunts", total) as one_more:

        def told(one: Hunted) -> None:
            hunted.append(one)
            one_more(
                "" if one.run else f"{one.bug} in the {one.style}: not found in {runs} schedules"
            )

        try:
            hunt(saga, bugs, styles=styles, faults=faults, runs=runs, seed=seed, told=told)
        except KeyboardInterrupt:
            print(f"interrupted after {len(hunted)} of {total} hunts:", file=sys.stderr)
    files = [
        leave(folder, number, one.shrunk) if one.shrunk else None
        for number, one in enumerate(hunted, 1)
    ]
    (folder / "table.md").write_text(hunted_markdown(hunted), encoding="utf-8")
    (folder / "stories.md").write_text(stories_markdown(hunted), encoding="utf-8")
    missed = [one for one in hunted if one.run is None]
    code = Exit.NOT_AS_EXPECTED if missed else Exit.AS_EXPECTED
    if len(hunted) < total:
        code = Exit.INTERRUPTED
    document = {
        "schema": SCHEMA,
        "ok": code == Exit.AS_EXPECTED,
        "exit_code": code,
        "hunts": [
            {
                "bug": one.bug,
                "style": one.style,
                "run": one.run,
                "rules": list(one.shrunk.rules) if one.shrunk else [],
                "expected": one.expected,
                "orders_faults_delays": list(size(one.shrunk.schedule)) if one.shrunk else [],
                "file": str(path) if path else "",
            }
            for one, path in zip(hunted, files, strict=True)
        ],
    }
    (folder / "hunts.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(document))
    else:
        wide().print(hunted_table(hunted))
        print(
            f"{len(hunted) - len(missed)} of {len(hunted)} found. Schedules, plans and stories: {folder}"
        )
    raise typer.Exit(code)


def stories_markdown(hunted: Sequence[Hunted]) -> str:
    """One story per bug, from the style in which the fewest faults are left of it."""
    told: dict[str, Finding] = {}
    for one in hunted:
        if one.shrunk:
            before = told.get(one.bug, one.shrunk)
            told[one.bug] = min(before, one.shrunk, key=lambda f: size(f.schedule))
    stories = [f"## {bug}\n\n```\n{story_of(f)}\n```\n" for bug, f in told.items()]
    return "\n".join([STORIES, *stories])
