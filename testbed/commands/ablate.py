"""`saga ablate`."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from choreography.rabbit_connection import public_address
from kernel.loading import DEFAULT, load_saga
from report.charts import save
from report.guard_matrix import guard_markdown, guard_matrix, guard_table
from scenarios.campaigns import ablation as ablating
from scenarios.campaigns.ablation import Ablated, Ablation, telling
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import SCHEMA
from testbed import settings
from testbed.execution import say_backends, wide
from testbed.options import AsJson, Broker, Engine, Out, Rate, SagaOption, Seed, Styles
from testbed.progress import counting
from testbed.runs import suite_folder


def ablate(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(help="Scenario names from saga list; default: every scenario."),
    ] = None,
    style: Styles = "both",
    orders: Annotated[int, typer.Option(min=4, max=1000, help="Orders in each run.")] = 20,
    repeat: Annotated[
        int,
        typer.Option(
            min=1, max=100, help="Number of runs of each cell, with consecutive seeds from --seed."
        ),
    ] = 1,
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    broker: Broker = "memory",
    engine: Engine = "auto",
    time_scale: Annotated[
        float, typer.Option(min=0.001, max=100, help="Factor on every wait.")
    ] = 0.1,
    rate: Rate = 100.0,
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Switch each safeguard off, one at a time, under every scenario: which safeguard prevents which failure, in which style."""
    chosen = settings.choose_broker(broker)
    engine = settings.choose_engine(engine, chosen)
    chosen_saga = load_saga(saga)
    every = telling(chosen_saga)
    chosen_scenarios = every
    if scenarios:
        chosen_scenarios = [s.name for s in settings.choose_scenarios(chosen_saga, scenarios)]
    wanted = Ablation(
        saga=chosen_saga.address,
        styles=settings.choose_styles(style),
        scenarios=chosen_scenarios,
        broker=chosen,
        engine=engine,
        orders=orders,
        seeds=list(range(seed, seed + repeat)),
        rate_per_s=rate,
        time_scale=time_scale,
    )
    say_backends(chosen, engine)
    asyncio.run(settings.check_backends(chosen, engine))
    folder = suite_folder(out, f"ablation-s{seed}")
    cells, document, png = ablate_into(folder, wanted)
    problems = [
        f"{c.scenario} in {c.style} shows {c.damage} with every guard on"
        for c in ablating.alarms(cells)
    ]
    if chosen_scenarios == every:
        problems += [f"no scenario needs the guard {name}" for name in ablating.needless(cells)]
    unknown = [f"{c.guard} off, {c.scenario} in {c.style}: unknown" for c in cells if c.unknown]
    code = Exit.NOT_AS_EXPECTED if problems else Exit.AS_EXPECTED
    if unknown and not problems:
        code = Exit.UNKNOWN
    problems += unknown
    if as_json:
        told = {"ok": not problems, "exit_code": code, "problems": problems, "folder": str(folder)}
        print(json.dumps(document | told))
    else:
        wide().print(guard_table(cells))
        for problem in problems:
            print(f"not as it must be: {problem}")
        print(f"Matrix: {png}\nEvery cell with damage, with its replay: {folder / 'table.md'}")
    raise typer.Exit(code)


def ablate_into(folder: Path, wanted: Ablation) -> tuple[list[Ablated], dict[str, Any], Path]:
    """Ablate, and leave cells, table and matrix in a folder; the cells, the document, and the matrix' path."""
    with counting("runs", len(ablating.jobs_of(wanted))) as one_more:
        cells = ablating.run_ablation(wanted, folder, done=lambda: one_more(""))
    about = asdict(wanted) | {"broker": public_address(wanted.broker)}
    document = {
        "schema": SCHEMA,
        **about,
        "command": wanted.command(),
        "cells": ablating.to_json(cells),
    }
    (folder / "ablation.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (folder / "table.md").write_text(guard_markdown(cells), encoding="utf-8")
    png, _ = save(guard_matrix(cells), folder, "guard_matrix")
    return cells, document, png
