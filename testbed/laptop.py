"""What a laptop needs before a workshop: each check says what it found and what to do about it.

`doctor` shows them as a table. A check is "bad" if the demo cannot run even with the embedded broker, "note" if
something else will not.
"""

import asyncio
import math
import os
import platform
import resource
import shutil
import socket
import sqlite3
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from choreography.rabbit_connection import (
    AMQP_VARIABLE,
    LOST,
    check_server,
    quieten_clients,
    server_versions,
)
from choreography.rabbit_node import RabbitNode, find_server
from kernel.errors import UsageError
from testbed.offline import closure, pinned
from testbed.offline_kit import here

ROOT = Path(__file__).parents[1]
OLDEST_SQLITE = (3, 35)
"""The first with RETURNING."""
NEWEST_PYTHON = (3, 14)
ENOUGH_DISK_GB, LEAST_DISK_GB = 1.0, 0.2
"""A demo writes 12 MB; RabbitMQ refuses to start with less than 50 MB."""
ENOUGH_FILES = 1024
COARSE_CLOCK_S = 0.001
LATE_S = 0.02
"""The scaled deadline of a step is 100 ms, its first retry comes after 20 ms."""
SLEEPS = 50
CONNECT_S = 2.0
PATIENCE_S = 7.0
"""A node starts in about 4 s; a run waits longer for it than a doctor does."""
PORTS = 8
"""Ports of a run with the real pair, of a node (3), the engine and the functions' server, and some to spare."""
PAGES_PORT = 8210
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was looked at, what was found, and what to do ("" = nothing)."""

    what: str
    state: str = "ok"
    """ok, note or bad."""
    words: str
    do: str = ""

    def as_json(self) -> dict[str, str]:
        """As an object with the same keys for every check."""
        return asdict(self)


def checks(runs: Path) -> Iterator[Check]:
    """Every check of this machine, the slow ones last. Ten seconds at most."""
    yield python()
    yield sqlite(sqlite3.sqlite_version_info)
    yield packages(ROOT / "constraints.txt")
    yield from disk(runs)
    yield clock()
    yield loopback()
    yield pages_port(PAGES_PORT)
    yield proxy()
    yield open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield browser()
    yield asyncio.run(rabbitmq())


def python() -> Check:
    """Python's version, against those that the tests are run with."""
    version = platform.python_version()
    if sys.version_info[:2] > NEWEST_PYTHON:
        newest = ".".join(map(str, NEWEST_PYTHON))
        return Check(
            what="Python", state="note", words=f"{version}, not tried",
            do=f"if something fails: rm -rf .venv && make demo PYTHON=python{newest}",
        )  # fmt: skip
    return Check(what="Python", words=version)


def sqlite(version: tuple[int, ...]) -> Check:
    """The SQLite that this Python was linked with."""
    words = ".".join(map(str, version))
    if version < OLDEST_SQLITE:
        return Check(
            what="SQLite", state="bad", words=f"{words}, older than 3.35",
            do="use a Python from python.org or uv, which brings its own: rm -rf .venv && make demo PYTHON=/path/to/python3",
        )  # fmt: skip
    return Check(what="SQLite", words=words)


def packages(constraints: Path) -> Check:
    """Whether what is installed is what was tested."""
    try:
        pins = pinned(constraints.read_text(encoding="utf-8"))
    except OSError:
        return Check(
            what="packages", state="note", words=f"{constraints.name} is not beside the program",
            do="install from a clone: make demo",
        )  # fmt: skip
    has: dict[str, str] = {canonicalize_name(one.name): one.version for one in distributions()}
    target, version = here()
    needs = closure("", version, target)
    missing = sorted(needs - has.keys())
    other = [
        f"{name} {has[name]} instead of {pin.partition('==')[2]}"
        for name, pin in pins.items()
        if name in has and has[name] != pin.partition("==")[2]
    ]
    again = f"cd {ROOT} && rm -rf .venv && make demo"
    if missing:
        return Check(what="packages", state="bad", words=f"not installed: {_some(missing)}", do=again)  # fmt: skip
    if other:
        return Check(what="packages", state="note", words=f"not those of constraints.txt: {_some(other)}", do=again)  # fmt: skip
    return Check(what="packages", words=f"all {len(needs)} are as in constraints.txt")


def disk(runs: Path) -> Iterator[Check]:
    """Whether runs and temporary files can be written, and how much."""
    try:
        temporary = Path(tempfile.gettempdir())
    except FileNotFoundError:
        temporary = Path("/tmp")  # noqa: S108 - to be named, since no folder can be written
    for what, folder, option in (
        ("runs folder", runs, "--out FOLDER"),
        ("temporary files", temporary, "TMPDIR=FOLDER"),
    ):
        parent = next(
            path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()
        )
        elsewhere = f"choose another folder with {option}"
        try:
            with tempfile.TemporaryFile(dir=parent) as probe:
                probe.write(b"saga")
        except OSError as error:
            yield Check(what=what, state="bad", words=f"{folder} cannot be written ({error.strerror})", do=elsewhere)  # fmt: skip
            continue
        free_gb = shutil.disk_usage(parent).free / 1e9
        words = f"{folder} can be written, {free_gb:.1f} GB free"
        if free_gb >= ENOUGH_DISK_GB:
            yield Check(what=what, words=words)
        else:
            state = "note" if free_gb >= LEAST_DISK_GB else "bad"
            yield Check(what=what, state=state, words=words, do=f"free a gigabyte, or {elsewhere}")


def clock() -> Check:
    """How finely this machine measures time, and how late it wakes a sleeper."""
    step_s = math.inf
    for _ in range(SLEEPS):
        before = after = time.monotonic()
        while after == before:
            after = time.monotonic()
        step_s = min(step_s, after - before)
    late_s = []
    for _ in range(SLEEPS):
        before = time.monotonic()
        time.sleep(0.001)
        late_s.append(time.monotonic() - before - 0.001)
    return judged_clock(step_s=step_s, late_s=sorted(late_s)[-SLEEPS // 10])


def judged_clock(*, step_s: float, late_s: float) -> Check:
    """`late_s`: how late one sleeper in ten wakes."""
    words = (
        f"steps of {step_s * 1e6:.2g} µs; one sleep in ten ends {late_s * 1e3:.1f} ms late or later"
    )
    if step_s > COARSE_CLOCK_S or late_s > LATE_S:
        return Check(
            what="clock", state="note", words=words,
            do="close other programs, plug the laptop in, or use --time-scale 0.1",
        )  # fmt: skip
    return Check(what="clock", words=words)


def loopback() -> Check:
    """Whether this machine can open servers for itself, and reach them."""
    servers: list[socket.socket] = []
    try:
        for _ in range(PORTS):
            servers.append(socket.create_server(("127.0.0.1", 0)))
            socket.create_connection(servers[-1].getsockname(), timeout=CONNECT_S).close()
    except OSError as error:
        return Check(
            what="loopback", state="bad", words=f"{len(servers)} of {PORTS} servers on 127.0.0.1 could be opened and reached ({error.strerror or error})",
            do="allow connections to 127.0.0.1 in the firewall or sandbox",
        )  # fmt: skip
    finally:
        for server in servers:
            server.close()
    return Check(what="loopback", words=f"{PORTS} ports of 127.0.0.1 can be opened and reached")


def pages_port(port: int) -> Check:
    """Whether `saga play` finds its usual port free."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        return Check(
            what="port of saga play", state="note", words=f"{port} cannot be opened ({error.strerror})",
            do=f"end what uses it, or saga play --port {port + 1}",
        )  # fmt: skip
    return Check(what="port of saga play", words=f"{port} is free")


def proxy() -> Check:
    """Which proxy variables are set. Never their values: they may contain a password."""
    names = [name for name in PROXIES if os.environ.get(name) or os.environ.get(name.upper())]
    if not names:
        return Check(what="proxy", words="none is set")
    around = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if "*" in around or {"127.0.0.1", "localhost"} <= {one.strip() for one in around.split(",")}:
        return Check(what="proxy", words=f"{', '.join(names)}, and no_proxy has loopback")
    return Check(
        what="proxy", state="note", words=f"{', '.join(names)}, and no_proxy lacks loopback: saga goes round it, curl and other clients do not",
        do="export no_proxy=127.0.0.1,localhost",
    )  # fmt: skip


def open_files(soft_limit: int) -> Check:
    """How many files and connections a process may have open."""
    endless = soft_limit == resource.RLIM_INFINITY
    if soft_limit < ENOUGH_FILES and not endless:
        return Check(
            what="open files", state="note", words=f"only {soft_limit} at a time: enough for the demo, not for hundreds of customers",
            do=f"ulimit -n {ENOUGH_FILES}",
        )  # fmt: skip
    return Check(
        what="open files", words="as many as you like" if endless else f"{soft_limit} at a time"
    )


def browser() -> Check:
    """A browser for pages and the game; Chromium is what the tests drive."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), "")
    if not found:
        try:
            found = webbrowser.get().name
        except webbrowser.Error:
            return Check(
                what="browser", state="note", words="none was found",
                do="copy the pages to a machine that has one; tests of pages are skipped without chromium",
            )  # fmt: skip
    return Check(what="browser", words=found)


async def rabbitmq() -> Check:
    """What a run finds: your server if it answers, else an installed one if it starts."""
    quieten_clients()
    without = "saga demo --broker memory"
    if url := os.environ.get(AMQP_VARIABLE):
        try:
            async with asyncio.timeout(PATIENCE_S):
                await check_server(url)
                versions = await server_versions(url)
        except (UsageError, *LOST, TimeoutError) as error:
            return Check(
                what="RabbitMQ", state="note", words=str(error) or f"silent for {PATIENCE_S:.0f} s",
                do=f"unset {AMQP_VARIABLE}, or {without}",
            )  # fmt: skip
        return Check(
            what="RabbitMQ", words=f"{versions['rabbitmq']} answers, named by {AMQP_VARIABLE}"
        )
    if find_server() is None:
        return Check(
            what="RabbitMQ", state="note", words="not installed: the embedded broker is used",
            do="nothing for a workshop; apt-get install rabbitmq-server or brew install rabbitmq for the real one",
        )  # fmt: skip
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE_S), RabbitNode.open() as node:
            started_s = time.monotonic() - began
            versions = await server_versions(node.url)
    except TimeoutError:
        return Check(
            what="RabbitMQ", state="note", words=f"installed, but not ready within {PATIENCE_S:.0f} s: a run waits 60 s for it",
            do=f"if a run does not start: {without}",
        )  # fmt: skip
    except (UsageError, *LOST) as error:
        return Check(what="RabbitMQ", state="note", words=f"{find_server()}: {error}", do=without)
    return Check(
        what="RabbitMQ", words=f"{versions['rabbitmq']} started in {started_s:.1f} s (Erlang {versions['erlang']})"
    )  # fmt: skip


def _some(words: list[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(words) - 4
    return ", ".join(words[:4]) + (f" and {more} more" if more > 0 else "")
