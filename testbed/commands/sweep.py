"""`saga sweep`."""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kernel.errors import UsageError
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from report.charts import save
from report.heat_map import heat_map
from report.sweep_tables import bad_cells, cells_table, counts, markdown, summary
from scenarios.campaigns import sweep as sweeping
from scenarios.campaigns.sweep import CellResult, Sweep
from scenarios.faults.space import Cell, combinations, sampled, singles
from scenarios.judge.load import LEAST_ORDERS
from scenarios.judge.predictions import Confirmation, confirm
from scenarios.judge.verdict import Exit
from scenarios.runs.environment import Backends
from scenarios.runs.folder import SCHEMA
from testbed import settings
from testbed.execution import say_backends, wide
from testbed.options import AsJson, Broker, Engine, Out, Rate, SagaOption, Seed, StepOrder, Styles
from testbed.progress import counting
from testbed.runs import in_hand, suite_folder

LEAST_SCALE = {"embedded": 0.05, "real": 0.1}
"""Shorter deadlines would measure how busy two cores are with several runs at once."""
SHOWN = 25
ALL = 0
"""No sample: every combination."""


def sweep(
    depth: Annotated[int, typer.Option(min=1, max=3, help="Number of faults in one saga.")] = 1,
    sample: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1_000_000,
            help="Number of combinations to draw at depth 2 and 3. Default: 200; all of them when simulated at depth 2.",
        ),
    ] = None,
    simulated: Annotated[
        bool,
        typer.Option(
            "--simulated", help="Simulate under virtual time: about two hundred cells a second."
        ),
    ] = False,
    style: Styles = "both",
    guards: Annotated[
        str,
        typer.Option(
            help="Safeguards: all, none, or a list to switch off, as in --guards=-outbox,-inbox"
        ),
    ] = "all",
    orders: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=100,
            help="Orders in each cell; every second one gets the faults. Default: 4; 2 in simulated combinations.",
        ),
    ] = None,
    seed: Seed = 1,
    broker: Broker = "memory",
    engine: Engine = "auto",
    time_scale: Annotated[
        float,
        typer.Option(min=0, max=100, help="Factor on every wait; 0 = 0.05 embedded, 0.1 real."),
    ] = 0.0,
    rate: Rate = 100.0,
    step_order: StepOrder = "",
    saga: SagaOption = DEFAULT,
    out: Out = Path("runs"),
    resume: Annotated[
        Path | None, typer.Option(help="Folder of an interrupted sweep to continue.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run every fault at every moment of every step and compensation, in both styles, and judge each cell."""
    if simulated and (broker, engine) != ("memory", "auto"):
        raise UsageError("--simulated brings its own backends: omit --broker and --engine")
    chosen = settings.choose_broker(broker)
    engine = settings.choose_engine(engine, chosen)
    pair = Backends(broker=chosen, engine=engine).pair
    Guards.parse(guards)
    chosen_saga = load_saga(saga)
    wanted = Sweep(
        depth=depth,
        sample=_sample(depth, sample, simulated=simulated),
        styles=settings.choose_styles(style),
        guards=guards,
        broker=chosen,
        engine=engine,
        orders=orders or (2 if simulated and depth > 1 else 4),
        seed=seed,
        rate_per_s=rate,
        time_scale=time_scale or LEAST_SCALE["embedded" if pair == "embedded" else "real"],
        variant=settings.choose_variant(chosen_saga, step_order),
        saga=chosen_saga.address,
        simulated=simulated,
    )
    if resume is not None and not (resume / sweeping.SETTINGS).exists():
        raise UsageError(f"{resume} is no folder of a sweep: leave --resume out to begin one")
    asyncio.run(settings.check_backends(chosen, engine))
    folder = resume or suite_folder(out, f"sweep-depth{depth}-s{seed}")
    with in_hand(folder):
        if simulated:
            print("Under virtual time: the code of the embedded pair.", file=sys.stderr)
        else:
            say_backends(chosen, engine)
        results, png = sweep_into(folder, wanted)
    theory = confirm(chosen_saga, wanted.guards, results)
    code = exit_code(wanted, results, theory)
    if as_json:
        document = {
            "schema": SCHEMA,
            "ok": code == Exit.AS_EXPECTED,
            "exit_code": code,
            "folder": str(folder),
            "cells": len(results),
            "bad": [asdict(result) for result in bad_cells(results)],
            "theory": theory and asdict(theory),
        }
        print(json.dumps(document))
    else:
        console = wide()
        console.print(counts(results))
        if bad_cells(results):
            console.print(cells_table(results, most=SHOWN))
        print(summary(results))
        if wanted.orders < LEAST_ORDERS and not wanted.simulated:
            print(f"Load: {wanted.orders} orders in a cell cannot saturate it.")
        if theory:
            print(
                f"Theory: {theory.shown} of {theory.predicted} cells show the damage that is predicted without {theory.guard}."
            )
            for line in theory.contradicted:
                print(f"  contradicted: {line}")
        print(
            f"Heat map: {png}\nEvery cell that is not consistent, with its replay: {folder / 'table.md'}"
        )
    raise typer.Exit(code)


def sweep_into(folder: Path, wanted: Sweep) -> tuple[list[CellResult], Path]:
    """Sweep, and leave cells, table and heat map in a folder; the results, and the heat map's path."""
    sweeping.begin(folder, wanted)
    cells = _cells(wanted)
    run_cells(wanted, cells, folder)
    results = _in_order(cells, sweeping.results(folder))
    how = ", under virtual time" if wanted.simulated else ""
    title = f"Depth {wanted.depth}, guards {wanted.guards}{how}: the worst in each cell"
    (folder / "table.md").write_text(markdown(results, title=title), encoding="utf-8")
    png, _ = save(heat_map(load_saga(wanted.saga), results, title=title), folder, "heat_map")
    return results, png


def run_cells(wanted: Sweep, cells: list[Cell], folder: Path) -> None:
    """Run what has no result yet, with progress."""
    known = len(sweeping.results(folder))
    with counting("cells", len(cells), begun=known) as one_more:

        def done(result: CellResult) -> None:
            surprise = result.unexpected and wanted.guards == "all"
            one_more(f"{result.key}: {result.worst}, {result.why}" if surprise else "")

        try:
            sweeping.run_sweep(wanted, cells, folder, done=done)
        except KeyboardInterrupt:
            told = f"interrupted: continue with --resume {folder} and the same options"
            print(told, file=sys.stderr)
            raise


def exit_code(wanted: Sweep, results: list[CellResult], theory: Confirmation | None = None) -> Exit:
    """With every guard on nothing may be inconsistent unless a promise was broken; with one off the predicted damage must be there."""
    if theory and theory.contradicted:
        return Exit.NOT_AS_EXPECTED
    if wanted.guards == "all" and any(r.unexpected and r.worst != "unknown" for r in results):
        return Exit.NOT_AS_EXPECTED
    return Exit.UNKNOWN if any(r.worst == "unknown" for r in results) else Exit.AS_EXPECTED


def _cells(wanted: Sweep) -> list[Cell]:
    saga = load_saga(wanted.saga)
    if wanted.depth == 1:
        return singles(saga, wanted.styles)
    if wanted.sample == ALL:
        return [
            Cell(saga=saga, style=style, strikes=strikes)
            for strikes in combinations(saga, wanted.depth)
            for style in wanted.styles
        ]
    return sampled(saga, wanted.depth, sample=wanted.sample, seed=wanted.seed, styles=wanted.styles)


def _sample(depth: int, wanted: int | None, *, simulated: bool) -> int:
    if depth == 1:
        return ALL
    return wanted or (ALL if simulated and depth == 2 else 200)


def _in_order(cells: list[Cell], results: list[CellResult]) -> list[CellResult]:
    found = {result.key: result for result in results}
    return [found[cell.key] for cell in cells if cell.key in found]
