"""The command line `saga`. A command's module is imported when it is called: some of them need half the libraries there are."""

import asyncio
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

COMMANDS = {
    name: (f"testbed.commands.{module}", attribute)
    for name, module, attribute in (
        ("demo", "demo", "demo"),
        ("run", "run", "run"),
        ("list", "list", "list_all"),
        ("new", "new", "new"),
        ("check", "check", "check"),
        ("report", "report", "report"),
        ("engine", "engine", "engine"),
        ("soak", "soak", "soak"),
        ("sweep", "sweep", "sweep"),
        ("explore", "explore", "explore"),
        ("replay", "replay", "replay"),
        ("traceability", "traceability", "traceability"),
        ("where", "trace", "where"),
        ("trace", "trace", "trace"),
        ("suite", "suite", "suite"),
        ("ablate", "ablate", "ablate"),
        ("bench", "bench", "bench"),
        ("check-oracle", "check_oracle", "check_oracle"),
        ("broker", "broker", "app"),
    )
}
"""Name -> module, and what it is there: a function, or a group of commands."""
PARKED = {style.parked_command: style for style in STYLES.values()}
"""Name of the group that works on what a style has parked -> the style."""


class Commands(TyperGroup):
    """The commands by name."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the table."""
        return [*COMMANDS, *PARKED]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name; None if there is none."""
        return command(cmd_name) if cmd_name in (*COMMANDS, *PARKED) else None


def command(name: str) -> Any:
    """What `saga NAME` does."""
    if name in PARKED:
        return typer.main.get_command(
            import_module("testbed.commands.parked").operating(PARKED[name])
        )
    module, attribute = COMMANDS[name]
    found: Any = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name)(found)
        found = alone
    return typer.main.get_command(found)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
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
    except* (KeyboardInterrupt, asyncio.CancelledError):
        print("interrupted: the run folder in hand is marked so", file=sys.stderr)
        sys.exit(Exit.INTERRUPTED)
