"""`saga exhibit`: published systems, as described and as they should be."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.exhibits.document import document, without_rows
from bench.exhibits.exhibit import DESCRIBED, Played
from bench.exhibits.index import ALL, choose_editions, chosen, named, readme
from bench.exhibits.trials import in_real_time, jobs_of, simulated, try_claims
from kernel.errors import UsageError
from report.exhibit_page import write_pages
from report.exhibit_tables import claims, missed, overview, witnesses
from report.text_table import rich_table
from scenarios.campaigns.jobs import Job
from scenarios.judge.verdict import Exit
from scenarios.runs.backends import open_backends
from testbed import settings
from testbed.execution import run_until_done, say_backends, wide
from testbed.options import AsJson, Engine, Out
from testbed.progress import Count, counting
from testbed.runs import suite_folder

COMMAND = "saga exhibit run all"
SIMULATED = "simulated"

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="Run published systems as described and as corrected, and prove what is said of them.",
)
Name = Annotated[str, typer.Argument(help="An exhibit from saga exhibit list.")]


@app.command("list")
def list_exhibits(as_json: AsJson = False) -> None:
    """List the exhibits, with their source and the sagas of their editions."""
    every = chosen(ALL)
    if as_json:
        rows = [
            {"exhibit": e.name, "title": e.title, "source": e.source, "claims": len(e.claims),
             "sagas": [e.address(edition) for edition in e.editions]}
            for e in every
        ]  # fmt: skip
        print(json.dumps({"schema": 1, "ok": True, "exhibits": rows}))
        return
    lines = [
        (e.name, e.title, e.source, str(len(e.claims)), ", ".join(map(e.address, e.editions)))
        for e in every
    ]
    columns = ("exhibit", "what it is about", "source", "claims", "editions, for --saga")
    wide().print(rich_table("Exhibits", columns, lines, ruled=True))


@app.command()
def explain(name: Name) -> None:
    """Print the story of an exhibit: what goes wrong, why, and what the correction is."""
    exhibit = named(name)
    print(readme(exhibit).strip())
    print("\n## See it\n")
    for edition, words in exhibit.editions.items():
        print(f"- `--saga {exhibit.address(edition)}`: {words}")
    for claim in exhibit.claims:
        print(f"\n{claim.says}")
        for proof in claim.proofs:
            for command in proof.commands(exhibit.address(claim.about)):
                print(f"    {command}")


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="An exhibit from saga exhibit list, or all.")],
    edition: Annotated[
        str, typer.Option(help="both, or one edition: described, corrected.")
    ] = "both",
    broker: Annotated[
        str,
        typer.Option(
            help="simulated (virtual time); or a broker for runs in real time: auto, memory, rabbitmq, amqp://..."
        ),
    ] = SIMULATED,
    engine: Engine = "auto",
    out: Out = Path("runs"),
    write: Annotated[
        Path | None,
        typer.Option(help="Write what was found to this JSON file, if anything has changed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put the claims of an exhibit to the test in its editions, show what proves them, and make a page.

    Exit code 1 = a claim does not hold.
    """
    exhibits = chosen(name)
    editions = choose_editions(edition)
    if write and (name != ALL or edition != "both" or broker != SIMULATED):
        raise UsageError("--write is for all exhibits, both editions, simulated")
    if broker == SIMULATED and engine != "auto":
        raise UsageError("--engine needs --broker: simulated runs have backends of their own")
    folder = suite_folder(out, f"exhibit-{name}")
    jobs = jobs_of(exhibits, editions)
    with counting("runs and claims", len(jobs) + sum(len(e.claims) for e in exhibits)) as one_more:
        played = _play(jobs, broker, engine, folder, one_more)
        tried = [
            (one, try_claims(one, editions, played, progress=lambda: one_more("")))
            for one in exhibits
        ]
    found = {"command": _command(name, edition, broker), **document(tried)}
    pages = write_pages(found, folder)
    if write:
        _write(found, write)
    wrong = [line for one in found["exhibits"] for line in missed(one)]
    code = Exit.NOT_AS_EXPECTED if wrong else Exit.AS_EXPECTED
    if as_json:
        print(json.dumps(found | {"ok": not wrong, "exit_code": code, "page": str(pages[0])}))
    else:
        _print(found, pages, wrong)
    raise typer.Exit(code)


def _command(name: str, edition: str, broker: str) -> str:
    parts = [f"saga exhibit run {name}"]
    parts += [f"--edition {edition}"] if edition != "both" else []
    backends = "auto" if "://" in broker else broker
    return " ".join(parts + ([f"--broker {backends}"] if broker != SIMULATED else []))


def _play(
    jobs: Sequence[Job], broker: str, engine: str, folder: Path, one_more: Count
) -> Mapping[str, Played]:
    if broker == SIMULATED:
        return simulated(jobs, progress=lambda: one_more(""))
    chosen_broker = settings.choose_broker(broker)
    chosen_engine = settings.choose_engine(engine, chosen_broker)
    asyncio.run(settings.check_backends(chosen_broker, chosen_engine))
    say_backends(chosen_broker, chosen_engine)

    async def played() -> Mapping[str, Played]:
        async with open_backends(chosen_broker, chosen_engine) as backends:
            return await in_real_time(jobs, backends, folder, progress=lambda: one_more(""))

    return run_until_done(played())


def _write(every: Mapping[str, Any], path: Path) -> None:
    """The file keeps its date if nothing else has changed. Raise UsageError if it cannot be written, or is something else."""
    found = without_rows(every)
    try:
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if {**before, "date": ""} != {**found, "date": ""}:
            dated = {"date": datetime.now(UTC).date().isoformat(), **found}
            path.write_text(json.dumps(dated, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON file: choose another one") from error


def _print(found: Mapping[str, Any], pages: Sequence[Path], wrong: Sequence[str]) -> None:
    console = wide()
    for exhibit in found["exhibits"]:
        console.print(rich_table(f"{exhibit['exhibit']}: {exhibit['title']}", *claims(exhibit), ruled=True))  # fmt: skip
        for claim in exhibit["claims"]:
            print(f"{claim['claim']}: {'; '.join(claim['commands'])}")
            for line in witnesses(claim, DESCRIBED):
                print(f"  {line}")
    if len(found["exhibits"]) > 1:
        console.print(rich_table("All exhibits", *overview(found)))
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"Page: {pages[0]}")
