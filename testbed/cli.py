"""The command line `saga`. A command's module is imported when it is called: some of them need half the libraries there are."""

import asyncio
import errno
import json
import logging
import platform
import sys
from importlib import import_module, metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from choreography.rabbit_connection import quieten_clients
from kernel.database import SYNCHRONOUS
from kernel.errors import Failure, UsageError, first
from scenarios.judge.verdict import Exit
from scenarios.styles.index import STYLES
from testbed.options import Durability

GROUPS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Run": (
        ("demo", "demo:demo", "Compare both styles under the headline scenarios; make a page."),
        ("run", "run:run", "Run scenarios and judge them."),
        ("suite", "suite:suite", "Run everything that the report has a section for."),
        ("soak", "soak:soak", "Run thousands of orders on the real pair under random faults."),
    ),
    "Explore": (
        ("sweep", "sweep:sweep", "Run every fault at every step, judged cell by cell."),
        ("explore", "explore:explore", "Search simulated schedules for what goes wrong."),
        ("replay", "replay:replay", "Replay a schedule that explore found."),
        ("play", "play:play", "Be the network: a game in the browser, both styles side by side."),
        ("ablate", "ablate:ablate", "Switch each safeguard off: which one prevents which failure."),
    ),
    "Decide": (
        ("decide", "decide:decide_for", "Weigh both styles for a case of your own."),
        ("cost", "cost:cost", "Price a million orders, from counts and prices with a source."),
        ("change", "change:change", "Measure what five changes of the flow cost in each style."),
    ),
    "Understand": (
        ("report", "report:report", "Make the report of finished runs: page, charts, tables."),
        ("where", "where:where", "Show where an order is, why, and what to do."),
        ("trace", "trace:trace", "Show what happened to an order."),
        ("exhibit", "exhibit:app", "Run published systems as described and as corrected."),
        ("list", "list:list_all", "List scenarios, faults, guards and planted bugs."),
    ),
    "Operate": (
        ("engine", "engine:engine", "Serve the embedded Step Functions engine."),
        ("broker", "broker:app", "List and delete queues that runs left on your RabbitMQ server."),
        ("doctor", "doctor:doctor", "Say what works here, and what killed runs have left."),
    ),
    "Measure": (
        ("bench", "bench:bench", "Measure latency and throughput of both styles and of peers."),
        ("traceability", "traceability:traceability", "Score how much each kind of evidence shows."),
        ("check-oracle", "check_oracle:check_oracle", "Plant known bugs and see which rules find them."),
    ),
    "Learn": (
        ("slides", "slides:slides", "Write the slides of the workshop as one page."),
        ("lab", "lab:app", "Lessons of a workshop: you write the code, the judge grades it."),
    ),
    "Your own saga": (
        ("new", "new:new", "Make a folder with a small saga to edit."),
        ("check", "check:check", "Check a saga's rows, reactions and state machine for mistakes."),
    ),
}  # fmt: skip
"""Group -> its commands: name, module below testbed.commands and what it is there, and one line of help."""
OPERATE = "Operate"
COMMANDS = {name: where for rows in GROUPS.values() for name, where, _ in rows}
"""Name -> `module:attribute`: a function, or a group of commands."""
ONLY_UNIX = "saga runs on Linux and macOS: on Windows install WSL2 (wsl --install) and run it there"
PARKED = {style.parked_command: style for style in STYLES.values()}
"""Name of the group that works on what a style has parked -> the style."""


class Commands(TyperGroup):
    """The commands by name."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the table."""
        return [*COMMANDS, *PARKED]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Group by group, without importing any of them."""
        parked = [
            (name, "", f"List, show and redrive what is parked: {style.parked}s.")
            for name, style in PARKED.items()
        ]
        for title, rows in GROUPS.items():
            every = (*rows, *parked) if title == OPERATE else rows
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, _, text in every])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name; None if there is none."""
        return command(cmd_name) if cmd_name in (*COMMANDS, *PARKED) else None


def command(name: str) -> Any:
    """What `saga NAME` does."""
    if name in PARKED:
        return typer.main.get_command(
            import_module("testbed.commands.parked").operating(PARKED[name])
        )
    module, _, attribute = COMMANDS[name].partition(":")
    found: Any = getattr(import_module(f"testbed.commands.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name)(found)
        found = alone
    return typer.main.get_command(found)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Compare choreography and orchestration: the same saga, the same faults, judged by ledgers.",
    epilog="Exit codes: 0 as the scenario expects, 1 not as expected, 2 wrong usage, 3 unknown.",
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        print(
            f"saga-testbed {metadata.version('saga-testbed')}, Python {platform.python_version()}"
        )
        raise typer.Exit


@app.callback(context_settings={"help_option_names": ["-h", "--help"]})
def _saga(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Has options of its own only."""


def main() -> None:
    """The program `saga`."""
    if sys.platform == "win32":
        print(f"error: {ONLY_UNIX}", file=sys.stderr)
        sys.exit(Exit.WRONG_USAGE)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    quieten_clients()
    assert set(Durability) == set(SYNCHRONOUS)
    try:
        app(prog_name="saga")
    except* UsageError as group:
        error = first(group)
        print(f"error: {error}", file=sys.stderr)
        if "--json" in sys.argv:
            print(json.dumps({"schema": 1, "ok": False, "error": str(error)}))
        sys.exit(Exit.WRONG_USAGE)
    except* Failure as group:
        print(f"error: {first(group)}", file=sys.stderr)
        sys.exit(Exit.UNKNOWN)
    except* OSError as group:
        full = first(group)
        if not isinstance(full, OSError) or full.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(
            f"error: {full.strerror}: {full.filename or 'the run folder'}: make room, or choose another disk with --out",
            file=sys.stderr,
        )
        sys.exit(Exit.UNKNOWN)
    except* (KeyboardInterrupt, asyncio.CancelledError):
        print("interrupted: the current run folder is marked as interrupted", file=sys.stderr)
        sys.exit(Exit.INTERRUPTED)
