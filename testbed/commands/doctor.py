"""`saga doctor`: what works on this machine, what earlier runs have left, and what to do about it."""

import json
import platform
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from choreography.rabbit_node import find_server
from kernel.errors import UsageError
from kernel.scratch import leftovers
from report.text_table import plain
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA, is_run, read_json
from scenarios.runs.interrupted import INTERRUPTED, status_of
from testbed.execution import wide
from testbed.options import AsJson

LEAST_DISK_GB = 1.0


def doctor(
    runs: Annotated[Path, typer.Option(help="Folder of run folders.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Say what works on this machine, what killed or interrupted runs have left, and what to do about it.

    Exit code 1 = something is missing without which commands fail.
    """
    found = {**_machine(), **_left(runs)}
    bad = [name for name, (state, _) in found.items() if state == "bad"]
    code = Exit.NOT_AS_EXPECTED if bad else Exit.AS_EXPECTED
    if as_json:
        rows = [
            {"what": name, "state": state, "words": words} for name, (state, words) in found.items()
        ]
        print(json.dumps({"schema": SCHEMA, "ok": not bad, "exit_code": code, "found": rows}))
    else:
        for name, (state, words) in found.items():
            wide().print(plain(f"{state:<5} {name:<18} {words}"))
    raise typer.Exit(code)


def _machine() -> dict[str, tuple[str, str]]:
    """What -> (ok, note or bad; words)."""
    server, browser = find_server(), shutil.which("chromium") or shutil.which("google-chrome")
    free_gb = shutil.disk_usage(tempfile.gettempdir()).free / 1e9
    return {
        "Python": ("ok", platform.python_version()),
        "SQLite": ("ok", sqlite3.sqlite_version),
        "RabbitMQ": ("ok", f"{server}")
        if server and shutil.which("epmd")
        else ("note", "not installed: the embedded broker is used; apt-get install rabbitmq-server, or set SAGA_AMQP_URL"),
        "browser": ("ok", browser)
        if browser
        else ("note", "none was found: pages are made, open them yourself; their tests are skipped"),
        "temporary files": ("ok" if free_gb > LEAST_DISK_GB else "bad", f"{free_gb:.1f} GB free in {tempfile.gettempdir()}"),
    }  # fmt: skip


def _left(runs: Path) -> dict[str, tuple[str, str]]:
    left = leftovers()
    found = {
        "left behind": ("note", f"{len(left)} temporary folders of killed processes: the next run removes them")
        if left
        else ("ok", "no temporary folder of a killed process")
    }  # fmt: skip
    for path in sorted(runs.rglob("run.json")) if runs.is_dir() else ():
        if not is_run(path):
            continue
        try:
            interrupted = status_of(path.parent, read_json(path)) == INTERRUPTED
        except UsageError as error:
            found[path.parent.name] = ("note", str(error))
            continue
        if interrupted:
            what = f"was interrupted: saga run --resume {path.parent}, or delete the folder"
            found[path.parent.name] = ("note", what)
    return found
