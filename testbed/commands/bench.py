"""`saga bench`: latency, throughput, growth, peers and baseline, as an experiment that can be interrupted and repeated."""

import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.contenders import CONTENDERS
from bench.experiment import Effort, Journal, Trial, open_lab, real_pair, run_trials, shuffled
from bench.machine import machine_facts
from bench.parts.index import FULL, PARTS, QUICK
from kernel.errors import UsageError
from report.benchmark.writing import SUMMARY, agreement, read_estimates, write_benchmark
from report.text_table import rich_table
from scenarios.judge.verdict import Exit
from scenarios.runs.arrivals import Arrivals
from scenarios.runs.folder import SCHEMA, read_json
from scenarios.runs.spec import now_utc
from scenarios.runs.workload import ServiceTimes
from testbed.execution import run_until_done, say_backends, wide
from testbed.options import ArrivalsOption, AsJson, Durability, Out, Seed, ServiceTimesOption
from testbed.runs import in_hand, suite_folder

ABOUT = "bench.json"


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="About three minutes: counts, baseline, peers, latency.")
    ] = False,
    full: Annotated[
        bool,
        typer.Option("--full", help="All parts, ten rounds: about an hour."),
    ] = False,
    only: Annotated[str, typer.Option(help=f"Parts with commas: {', '.join(PARTS)}.")] = "",
    rounds: Annotated[
        int,
        typer.Option(
            min=0,
            max=200,
            help="Number of trials of each arm; 0 = the default of --quick or --full.",
        ),
    ] = 0,
    rates: Annotated[
        str, typer.Option(help="Customers per second in the open-loop trials, separated by commas.")
    ] = "",
    measure: Annotated[
        float,
        typer.Option(
            min=0,
            max=3600,
            help="Seconds to measure in an open-loop trial, after a warm-up of a quarter of it; 0 = the default.",
        ),
    ] = 0.0,
    arrivals: ArrivalsOption = Arrivals.POISSON,
    service_times: ServiceTimesOption = "",
    resume: Annotated[
        Path | None,
        typer.Option(help="Folder of an interrupted benchmark to continue, with its own settings."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Folder of another benchmark to compare with: do the two agree?"),
    ] = None,
    durability: Annotated[
        Durability,
        typer.Option(help="What the data survive: process = kill -9, power = power loss."),
    ] = Durability.process,
    seed: Seed = 1,
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Measure both styles, the baseline below them and the peers people would use instead, with confidence intervals.

    Every trial is one line of trials.jsonl: after an interruption, continue with --resume.
    """
    other = read_json(against / SUMMARY) if against else None
    if resume is not None:
        folder, about = resume, _known(resume)
    else:
        about = _about(
            quick=quick,
            full=full,
            only=only,
            rounds=rounds,
            rates=rates,
            measure_s=measure,
            arrivals=arrivals.value,
            service_times=service_times,
            durability=durability.value,
            seed=seed,
        )
        if other is not None:
            _check_alike(about, other)
        folder = suite_folder(out, f"bench-{about['effort']['name']}-s{seed}")
        (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    with in_hand(folder):
        say_backends("rabbitmq" if about["real"] else "memory", "embedded" if about["real"] else "inprocess")  # fmt: skip
        print(f"Journal: {folder} (after an interruption: saga bench --resume {folder})", file=sys.stderr)  # fmt: skip
        began = time.monotonic()
        run_until_done(_measure(folder, about))
        took_s = time.monotonic() - began
        told = write_benchmark(folder, about)
    code = Exit.NOT_AS_EXPECTED if told.failed else Exit.AS_EXPECTED
    if as_json:
        print((folder / "summary.json").read_text(encoding="utf-8"))
        raise typer.Exit(code)
    for section in told.sections:
        wide().print(rich_table(section.title, section.columns, section.lines))
        print(f"{section.reading}\n")
    if other is not None:
        section = agreement(told.estimates, read_estimates(other))
        wide().print(rich_table(section.title, section.columns, section.lines))
        print(section.reading)
    for line in about["left_out"]:
        print(f"left out: {line}")
    for line in told.failed:
        print(f"NOT REPORTED: {line}")
    charts = ", ".join(str(chart) for chart in told.charts) or "none"
    print(f"Took {took_s / 60:.1f} min.\nCharts: {charts}\nAll of it: {folder}")
    raise typer.Exit(code)


def _about(
    *,
    quick: bool,
    full: bool,
    only: str,
    rounds: int,
    rates: str,
    measure_s: float,
    arrivals: str,
    service_times: str,
    durability: str,
    seed: int,
) -> dict[str, Any]:
    """bench.json: everything that decides what is measured, and on what."""
    if quick and full:
        raise UsageError("give --quick or --full, not both")
    effort = FULL if full else QUICK
    if only:
        parts = tuple(name.strip() for name in only.split(","))
        for name in parts:
            if name not in PARTS:
                raise UsageError(f"unknown part {name!r}: use {', '.join(PARTS)}")
        effort = replace(effort, parts=parts)
    if rounds:
        effort = replace(effort, rounds=rounds)
    if measure_s:
        effort = replace(effort, measure_s=measure_s)
    if service_times:
        ServiceTimes.parse(service_times)
    effort = replace(effort, arrivals=arrivals, service_times=service_times)
    if rates:
        effort = replace(effort, rates_per_s=_rates(rates))
    return {
        "schema": SCHEMA,
        "effort": asdict(effort),
        "seed": seed,
        "durability": durability,
        "real": real_pair(),
        "left_out": _left_out(),
        "started_utc": now_utc(),
        **machine_facts(),
    }


def _check_alike(about: dict[str, Any], other: dict[str, Any]) -> None:
    """Raise UsageError if the two cannot agree because they do not measure the same."""
    if "estimates" not in other:
        raise UsageError("--against wants the folder of a finished saga bench")
    mine = about["effort"] | {"durability": about["durability"], "real": about["real"]}
    theirs = other["effort"] | {"durability": other["durability"], "real": other["real"]}
    for name in ("measure_s", "rates_per_s", "closed_orders", "arrivals", "service_times", "durability", "real"):  # fmt: skip
        if json.dumps(mine[name]) != json.dumps(theirs.get(name)):
            raise UsageError(f"--against was measured with {name} {theirs.get(name)}, this is {mine[name]}: they cannot be compared")  # fmt: skip


def _left_out() -> list[str]:
    missing = [
        f"{name}: {contender.needs} is not installed, make .venv/dev installs it"
        for name, contender in CONTENDERS.items()
        if contender.missing()
    ]
    if not real_pair():
        missing.append("all that is over RabbitMQ: install rabbitmq-server")
    return missing


def _rates(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(rate) for rate in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0.1 <= rate <= 10_000 for rate in found):
        raise UsageError(f"--rates {text!r}: give customers per second, 0.1 to 10000, with commas")
    return found


def _known(folder: Path) -> dict[str, Any]:
    """bench.json of an interrupted benchmark."""
    if not (folder / ABOUT).exists():
        raise UsageError(f"{folder} holds no {ABOUT}: give the folder of a saga bench to --resume")
    about = read_json(folder / ABOUT)
    try:
        _effort(about["effort"])
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{folder / ABOUT} is from another version ({error}): begin again, without --resume"
        ) from error
    return about


def _effort(given: dict[str, Any]) -> Effort:
    lists: dict[str, Any] = {name: tuple(given[name]) for name in ("rates_per_s", "parts")}
    return Effort(**{**given, **lists})


async def _measure(folder: Path, about: dict[str, Any]) -> None:
    effort = _effort(about["effort"])
    real, seed = about["real"], about["seed"]
    trials = [
        trial
        for name, part in PARTS.items()
        if name in effort.parts
        for trial in part.trials(effort, real=real)
    ]
    ordered, journal = shuffled(trials, seed=seed), Journal(folder)
    with _Progress(ordered, journal) as progress:
        async with open_lab(seed, about["durability"], folder, real=real) as lab:
            await run_trials(ordered, PARTS, lab, journal, progress.took)


class _Progress:
    """How far it is and how long it will take, from what the trials so far took beside what was expected of them."""

    def __init__(self, trials: list[Trial], journal: Journal) -> None:
        self._left = [trial for trial in trials if not journal.has(trial)]
        self._all, self._spent_s, self._expected_s = len(trials), 0.0, 0.0
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description:44}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        done = self._all - len(self._left)
        self._task = self._bar.add_task("starting", total=self._all, completed=done, left="")
        self._told = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def took(self, trial: Trial, seconds: float) -> None:
        """One more is done."""
        self._left.remove(trial)
        self._spent_s += seconds
        self._expected_s += trial.about_s
        left_s = sum(t.about_s for t in self._left) * self._spent_s / self._expected_s
        left = f"{int(left_s // 60)} min {int(left_s % 60)} s left"
        done = self._all - len(self._left)
        self._bar.update(self._task, completed=done, description=f"{trial.part}: {trial.arm}", left=left)  # fmt: skip
        if not self._console.is_terminal and (time.monotonic() - self._told > _SAY_S or not self._left):  # fmt: skip
            self._told = time.monotonic()
            print(f"{done} of {self._all} trials, {left}", file=sys.stderr, flush=True)


_SAY_S = 10.0
"""How often progress is told where there is no terminal."""
