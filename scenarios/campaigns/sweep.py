"""The sweep: every cell of the fault space as a run, and what became of it. Results are kept as they come, so that a sweep can be resumed."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from choreography.rabbit_connection import public_address
from kernel.errors import UsageError
from kernel.loading import DEFAULT, load_saga
from kernel.saga import Saga
from scenarios.campaigns.jobs import Job, run_jobs
from scenarios.campaigns.outcome import INCONSISTENT, Outcome
from scenarios.campaigns.simulation.cores import over_cores
from scenarios.campaigns.simulation.outcomes import schedule_of, simulated_outcomes
from scenarios.faults.space import Cell
from scenarios.runs.backends import as_options, which_options
from scenarios.runs.environment import Backends
from scenarios.runs.folder import SCHEMA, read_json, read_lines
from scenarios.runs.variety import REPEATED, kinds_of

SETTINGS, CELLS = "sweep.json", "cells.jsonl"
SCENARIO = "any_ending"
PIECE = 50
"""Cells that a worker simulates before it tells."""
NOT_RUN = "not run"
NOT_STRUCK = "not struck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What decides the cells' runs. Two sweeps with the same settings are one."""

    depth: int
    sample: int
    styles: list[str]
    guards: str
    broker: str
    engine: str
    orders: int
    seed: int
    rate_per_s: float
    time_scale: float
    variant: str
    saga: str = DEFAULT
    simulated: bool = False
    """Whether the runs are under virtual time."""

    def job(self, cell: Cell) -> Job:
        """The cell as a run."""
        return Job(
            key=cell.key,
            scenario=SCENARIO,
            style=cell.style,
            orders=self.orders,
            seed=self.seed,
            time_scale=self.time_scale,
            rate_per_s=self.rate_per_s,
            plan=cell.plan(),
            guards=self.guards,
            variant=self.variant,
            saga=self.saga,
            variety=self._variety(cell.saga),
            redrive=True,
        )

    def _variety(self, saga: Saga) -> tuple[str, ...]:
        """All of it; but without a guard only the fault may repeat a message."""
        kinds = kinds_of(saga)
        return kinds if self.guards == "all" else tuple(k for k in kinds if k not in REPEATED)

    def command(self) -> str:
        """What sweeps the same again."""
        parts = [f"saga sweep --depth {self.depth} --orders {self.orders} --seed {self.seed}"]
        parts.append(f"--rate {self.rate_per_s:g} --time-scale {self.time_scale:g}")
        parts.append("--simulated" if self.simulated else as_options(self.broker, self.engine))
        if self.sample:
            parts.append(f"--sample {self.sample}")
        if self.guards != "all":
            parts.append(f"--guards={self.guards}")
        saga = load_saga(self.saga)
        if self.variant != saga.variant:
            parts.append(f"--step-order {self.variant}")
        return " ".join(parts + which_options(self.styles, self.saga))


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """One line of cells.jsonl.

    `worst`: the worst thing in the cell (see outcome.SEVERITY), NOT_STRUCK or NOT_RUN. `bad`: how many of its orders are that.
    `struck`: how many orders each fault of the cell struck. `why`: in words, where it is not plain.
    """

    key: str
    style: str
    strikes: list[dict[str, str]]
    worst: str
    bad: int = 0
    orders: int = 0
    struck: list[int]
    classes: dict[str, int]
    why: str = ""
    expected: str = ""
    """What it must come to, where a promise is broken and no safeguard can help; "" = none is, and nothing inconsistent."""
    replay: str = ""

    @property
    def inconsistent(self) -> bool:
        """Whether anything in it is not consistent."""
        return self.worst in INCONSISTENT

    @property
    def unexpected(self) -> bool:
        """Whether safeguards should have prevented it, or nothing is known."""
        if self.worst == "unknown":
            return True
        return self.worst != self.expected if self.expected else self.inconsistent


def result_of(cell: Cell, outcome: Outcome | None, *, variant: str) -> CellResult:
    """What a cell's run came to; None = there was nothing to run."""
    shape: dict[str, Any] = {
        "key": cell.key,
        "style": cell.style,
        "strikes": [asdict(strike) for strike in cell.strikes],
        "expected": cell.expected(variant),
    }
    if outcome is None:
        return CellResult(**shape, worst=NOT_RUN, why=cell.not_run(), struck=[], classes={})
    ways = len(cell.way())
    struck = [counts[1] for counts in outcome.faults[ways:]]
    worst = outcome.worst()
    if worst == "unknown" and not outcome.failures:
        # Nothing failed but a fault that found no occasion.
        worst = next(name for name in outcome.severity() if name != "unknown")
    why = list(_unstruck(cell, outcome, struck))
    if worst in INCONSISTENT or worst == "unknown":
        why = [*outcome.problems_of(worst), *why]
    elif not any(struck):
        worst = NOT_STRUCK
    return CellResult(
        **shape,
        worst=worst,
        bad=outcome.count(worst),
        orders=sum(outcome.classes.values()),
        struck=struck,
        classes=outcome.classes,
        why="; ".join(why),
        replay=outcome.replay,
    )


def _unstruck(cell: Cell, outcome: Outcome, struck: list[int]) -> Iterable[str]:
    for strike, hits in zip(cell.strikes, struck, strict=True):
        if hits:
            continue
        if strike.operation in outcome.operations:
            why = f"{strike.operation} was done, but its moment did not come in that attempt"
        else:
            why = f"no saga came to {strike.operation}"
        yield f"{strike} found no occasion: {why} ({outcome.where_it_ended()})"


def run_sweep(
    sweep: Sweep, cells: Sequence[Cell], folder: Path, *, done: Callable[[CellResult], None]
) -> None:
    """Run every cell that has no result in `folder` yet, or one that says nothing; `done` is called with each new one."""
    known = {result.key for result in results(folder) if result.worst != "unknown"}
    by_key = {cell.key: cell for cell in cells if cell.key not in known}
    with (folder / CELLS).open("a", encoding="utf-8") as file:

        def note(result: CellResult) -> None:
            file.write(json.dumps(asdict(result)) + "\n")
            file.flush()
            done(result)

        for cell in by_key.values():
            if cell.not_run():
                note(result_of(cell, None, variant=sweep.variant))

        def told(outcome: Outcome) -> CellResult:
            return result_of(by_key[outcome.key], outcome, variant=sweep.variant)

        if sweep.simulated:
            cells_to_run = [cell for cell in by_key.values() if not cell.not_run()]
            for result in map(told, _simulated(sweep, cells_to_run)):
                note(_with_schedule(sweep, by_key[result.key], result, folder))
            return
        real = Backends(broker=sweep.broker, engine=sweep.engine).pair != "embedded"
        shared = [c for c in by_key.values() if not c.not_run() and not (real and c.disturbs())]
        alone = [c for c in by_key.values() if not c.not_run() and real and c.disturbs()]
        for chosen, at_once in ((shared, 4 if real else 12), (alone, 1)):
            if chosen:
                run_jobs(
                    [sweep.job(cell) for cell in chosen],
                    broker=sweep.broker,
                    engine=sweep.engine,
                    at_once=at_once,
                    runs=folder / "runs",
                    keep=lambda outcome: kept(told(outcome)),
                    done=lambda outcome: note(told(outcome)),
                )


def _simulated(sweep: Sweep, cells: Sequence[Cell]) -> Iterator[Outcome]:
    """The outcomes under virtual time, in the order of the cells."""
    pieces = [
        ([sweep.job(cell) for cell in cells[at : at + PIECE]], sweep.seed)
        for at in range(0, len(cells), PIECE)
    ]
    for outcomes in over_cores(simulated_outcomes, pieces):
        yield from outcomes


def _with_schedule(sweep: Sweep, cell: Cell, result: CellResult, folder: Path) -> CellResult:
    """With the file that replays it, if it is worth one."""
    if not kept(result):
        return result
    name = hashlib.sha256(cell.key.encode()).hexdigest()[:12]
    path = folder / f"schedule-{name}.json"
    schedule = schedule_of(sweep.job(cell), turns=sweep.seed)
    path.write_text(json.dumps(schedule.to_json(), indent=1) + "\n", encoding="utf-8")
    return replace(result, replay=f"saga replay {path}")


def kept(result: CellResult) -> bool:
    """Whether a cell's run folder is worth its place: somebody may want to replay it."""
    return result.inconsistent or result.worst == "unknown"


def results(folder: Path) -> list[CellResult]:
    """What is known so far: of several lines for a cell the last. A line cut off by a kill is left out."""
    path = folder / CELLS
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    found = {line["key"]: CellResult(**line) for line in read_lines(path)}
    return list(found.values())


def saga_of(folder: Path) -> Saga:
    """The saga that was swept in a folder."""
    settings = folder / SETTINGS
    return load_saga(read_json(settings)["saga"] if settings.exists() else DEFAULT)


def command_of(folder: Path) -> str:
    """The command that swept a folder; "" if it does not say."""
    path = folder / SETTINGS
    if not path.exists():
        return ""
    settings = {name: value for name, value in read_json(path).items() if name != "schema"}
    return Sweep(**settings).command()


def begin(folder: Path, sweep: Sweep) -> None:
    """Note what is swept. Raise UsageError if the folder holds another sweep."""
    path = folder / SETTINGS
    mine = {"schema": SCHEMA, **asdict(sweep), "broker": public_address(sweep.broker)}
    if path.exists():
        theirs = read_json(path)
        wrong = sorted(k for k in mine if mine[k] != theirs.get(k))
        if wrong:
            raise UsageError(
                f"{folder} holds a sweep with another {', '.join(wrong)}: resume it with the same options, or leave"
                " --resume out"
            )
        return
    path.write_text(json.dumps(mine, indent=1) + "\n", encoding="utf-8")
