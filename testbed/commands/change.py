"""`saga change`."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.changes.cost import Cost, cost
from bench.changes.document import document
from bench.changes.folders import NAMES, Change, every, named, written
from kernel.errors import UsageError
from report.change_tables import comparison, owners, rollouts, summary
from report.text_table import rich_table
from scenarios.styles.index import STYLES
from testbed.execution import wide
from testbed.options import AsJson
from testbed.progress import counting

COMMAND = "saga change --json"


def change(
    name: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(NAMES)}; all of them without a name.")
    ] = None,
    make: Annotated[
        Path | None,
        typer.Option(
            help="Only write the saga folders, old and new, into this folder, to read and to run."
        ),
    ] = None,
    as_json: AsJson = False,
    write: Annotated[
        Path | None,
        typer.Option(
            help="Write the data of all changes to this JSON file, if anything in it has changed."
        ),
    ] = None,
) -> None:
    """Measure what five changes of the order saga cost in each style: services, files and lines touched, who is redeployed in which
    order, and whether old and new may run at once. Both versions are run together with sagas on their way, and judged.
    """
    if name and write:
        raise UsageError("--write is for all changes: leave the name out")
    changes = [named(name)] if name else list(every())
    if make:
        for folder in written(changes, make):
            print(f"saga check {folder}")
        return
    before = _before(write) if write else {}
    measured = _measure(changes)
    found = {
        "command": f"saga change {name} --json" if name else COMMAND,
        "date": datetime.now(UTC).date().isoformat(),
        **document(measured),
    }
    # The same data keep their date.
    if write and before | {"date": ""} != found | {"date": ""}:
        write.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(found | {"ok": True}))
    else:
        _print(found, alone=bool(name))


def _measure(changes: Sequence[Change]) -> list[tuple[Change, list[Cost]]]:
    measured = []
    with counting("changes", len(changes) * len(STYLES)) as one_more:
        for one in changes:
            costs = []
            for style in STYLES.values():
                costs.append(cost(one, style))
                one_more("")
            measured.append((one, costs))
    return measured


def _before(path: Path) -> dict[str, Any]:
    """What the file to be written says now; nothing if it is new. Raise UsageError if it cannot be written, or is something else."""
    try:
        with path.open("a+", encoding="utf-8") as file:
            file.seek(0)
            text = file.read()
        found = json.loads(text) if text else {}
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON file: choose another one") from error
    if text and (not isinstance(found, dict) or "changes" not in found):
        raise UsageError(f"{path} has no data of changes: choose another file")
    return found


def _print(found: dict[str, Any], *, alone: bool) -> None:
    console = wide()
    console.print(rich_table("What a change costs", *comparison(found)))
    if not alone:
        print(summary(found))
    for one in found["changes"]:
        if alone:
            console.print(rich_table("Whose lines", *owners(one)))
            console.print(rich_table("Old and new at once", *rollouts(one)))
            print(one["shows"])
        else:
            print(f"{one['change']}: {one['words']}")
    said = f"{found['orders']} orders, the worst of seeds {', '.join(map(str, found['seeds']))}"
    print(f"At once: {said}, under virtual time, one part replaced after the other.")
