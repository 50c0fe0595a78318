"""`saga doctor`: what works on this machine, what earlier runs have left, and what to do about it."""

import json
import os
import platform
import resource
import shutil
import socket
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
LEAST_FILES = 1024
LOOPBACK_S = 5.0
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def doctor(
    runs: Annotated[Path, typer.Option(help="Folder of run folders.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Say what works on this machine, what killed or interrupted runs have left, and what to do about it.

    Exit code 1 = something is missing without which commands fail.
    """
    found = {**_machine(), **_network(), **_left(runs)}
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


def _network() -> dict[str, tuple[str, str]]:
    """What -> state and words, of what runs, pages and tests need of this machine's network and limits."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    proxies = [name for name in PROXIES if os.environ.get(name) or os.environ.get(name.upper())]
    return {
        "loopback": _loopback(),
        "proxy": ("note", f"{', '.join(proxies)} is set: saga goes round it on loopback; tell your browser to do so for 127.0.0.1")
        if proxies
        else ("ok", "none is set"),
        "open files": ("ok", f"{files} at a time")
        if files >= LEAST_FILES
        else ("note", f"only {files} at a time: ulimit -n {LEAST_FILES} before runs with many customers"),
    }  # fmt: skip


def _loopback() -> tuple[str, str]:
    """Whether a server of this machine can be reached by this machine."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port), timeout=LOOPBACK_S):
                return "ok", f"a server on 127.0.0.1 is reached (port {port})"
    except OSError as error:
        words = error.strerror or str(error)
        return "bad", f"no server on 127.0.0.1 can be reached ({words}): allow it in the firewall"


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
