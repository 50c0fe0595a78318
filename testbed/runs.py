"""Several runs, one after another on the same backends, with progress and a summary beside them."""

import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.arms import named
from bench.machine import machine_facts
from bench.results import RunRow, read_run
from choreography.rabbit_connection import AMQP_VARIABLE, server_versions
from kernel.alone import alone
from kernel.errors import UsageError
from report.columns import RUN_COLUMNS, values
from report.repeats import rates
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA
from scenarios.runs.interrupted import Interrupted
from scenarios.runs.pace import pace
from scenarios.runs.runner import resume, run
from scenarios.runs.spec import RunSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """The runs of a suite, and the worst of their exit codes."""

    folder: Path
    rows: list[RunRow]

    def exit_code(self) -> Exit:
        """Not as expected outweighs unknown, unknown outweighs as expected."""
        codes = {Exit(row.verdict["exit_code"]) for row in self.rows}
        for code in (Exit.NOT_AS_EXPECTED, Exit.UNKNOWN):
            if code in codes:
                return code
        return Exit.AS_EXPECTED


def suite_folder(out: Path, name: str) -> Path:
    """A new folder for the runs of a suite. Raise UsageError if it cannot be made."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = out / f"{stamp}-{name}-{secrets.token_hex(3)}"
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise UsageError(
            f"cannot write to {out} ({error.strerror}): choose another folder with --out"
        ) from error
    return path


def in_hand(folder: Path) -> AbstractContextManager[None]:
    """Hold the folder of a campaign that can be resumed. Raise UsageError if another process works on it."""
    busy = f"another process works on {folder}: wait until it has ended, or end it"
    return alone(folder / ".lock", busy=busy)


async def run_suite(specs: list[RunSpec], folder: Path) -> SuiteResult:
    """Carry out every run in turn; a suite of more than one writes summary.json into `folder`."""
    rows: list[RunRow] = []
    facts = machine_facts()
    for url in {spec.backends.broker for spec in specs if "://" in spec.backends.broker}:
        facts["versions"] |= await server_versions(url)
    say_pace(specs)
    console = Console(stderr=True)
    with _progress(console, specs) as report:
        for number, spec in enumerate(specs, 1):
            started = time.monotonic()
            result = await run(spec, runs=folder, facts=facts, progress=report)
            rows.append(read_run(result.folder))
            if not console.is_terminal:
                judgement = result.verdict.judgement
                took_s = time.monotonic() - started
                print(
                    f"[{number}/{len(specs)}] {spec.scenario.name} {spec.style}: {judgement} in {took_s:.1f} s",
                    file=sys.stderr,
                    flush=True,
                )
    rows = named(rows)
    if len(rows) > 1:
        summary = {
            "schema": SCHEMA,
            "runs": [row.folder.name for row in rows],
            "table": [values(RUN_COLUMNS, row) for row in rows],
            "rates": rates(rows),
        }
        (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    return SuiteResult(folder=folder, rows=rows)


async def resume_run(interrupted: Interrupted, broker: str) -> SuiteResult:
    """Resume a run; `broker`: an address, if it ran over the user's own server, or else SAGA_AMQP_URL's is taken."""
    own = broker if "://" in broker else os.environ.get(AMQP_VARIABLE, "")
    about = interrupted.about
    print(f"Resuming {about['scenario']}, {about['style']}, in {interrupted.folder}.", file=sys.stderr)  # fmt: skip
    result = await resume(interrupted, broker=own)
    return SuiteResult(folder=result.folder, rows=named([read_run(result.folder)]))


def say_pace(specs: list[RunSpec]) -> None:
    """Tell the user, on standard error, how fast the runs go in real time."""
    paces: dict[str, list[str]] = {}
    for spec in specs:
        paces.setdefault(pace(spec.policy(), spec.times()), []).append(spec.scenario.name)
    for text, names in paces.items():
        who = "" if len(paces) == 1 else f"{', '.join(dict.fromkeys(names))}: "
        print(f"{who}{text}", file=sys.stderr)
    rates = ", ".join(f"{rate:g}" for rate in dict.fromkeys(spec.rate_per_s for spec in specs))
    print(f"{rates} customers per second (real time, not scaled).", file=sys.stderr)


class _Report:
    """Counts placed orders over all runs, on a terminal."""

    def __init__(self, progress: Progress, specs: list[RunSpec]) -> None:
        self._progress, self._specs = progress, specs
        self._placed = 0
        self._task = progress.add_task("", total=sum(spec.orders for spec in specs))
        self(0)

    def __call__(self, placed: int) -> None:
        self._placed += placed
        before = 0
        for spec in self._specs:
            if self._placed < before + spec.orders or spec is self._specs[-1]:
                name = f"{spec.scenario.name}, {spec.style}"
                break
            before += spec.orders
        self._progress.update(self._task, completed=self._placed, description=name)


@contextmanager
def _progress(console: Console, specs: list[RunSpec]) -> Iterator[_Report]:
    columns = (
        TextColumn("{task.description:36}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("orders"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield _Report(progress, specs)
