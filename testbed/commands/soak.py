"""`saga soak`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from report.tables import findings, soak_table
from scenarios.campaigns.soak import MOST_AT_ONCE, problems_of, soak_scenario
from scenarios.judge.verdict import Exit
from scenarios.runs.folder import read_json
from testbed import settings
from testbed.execution import run_scenarios, run_until_done, say_backends, wide
from testbed.options import AsJson, Durability, Out, Rate, SagaOption, Seed, Styles, TimeScale
from testbed.runs import suite_folder


def soak(
    orders: Annotated[int, typer.Option(min=1, max=100_000, help="Orders in each style.")] = 20_000,
    fault_every: Annotated[
        float,
        typer.Option(min=0.1, help="Seconds of real time between a recovery and the next fault."),
    ] = 2.0,
    at_once: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_AT_ONCE,
            help="Faults that strike at the same time; above 1 also in one order of ten.",
        ),
    ] = 1,
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    style: Styles = "both",
    rate: Rate = 60.0,
    time_scale: TimeScale = 1.0,
    processes: Annotated[
        bool, typer.Option(help="Run each participant in its own process, which can be killed.")
    ] = True,
    durability: Annotated[
        Durability,
        typer.Option(help="What the data survive: process = kill -9, power = power loss."),
    ] = Durability.process,
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Run thousands of orders on the real pair under random faults, then judge the ledgers."""
    chosen_saga = load_saga(saga)
    broker = settings.choose_broker("rabbitmq")
    styles = settings.choose_styles(style)
    say_backends(broker, "embedded")
    result = run_until_done(
        run_scenarios(
            lambda: suite_folder(out, f"soak-s{seed}"),
            saga=chosen_saga,
            arms=[(soak_scenario(chosen_saga, at_once=at_once), Guards.all())],
            styles=styles,
            broker=broker,
            engine="embedded",
            orders=orders,
            seed=seed,
            rate_per_s=rate,
            time_scale=time_scale,
            durability=durability.value,
            processes=processes,
            trouble_every_s=fault_every,
            troubles_at_once=at_once,
            evidence=False,
        )
    )
    figures = {row.style: read_json(row.folder / "soak.json") for row in result.rows}
    problems = [p for f in figures.values() for p in problems_of(f)]
    code = Exit.NOT_AS_EXPECTED if problems else result.exit_code()
    if as_json:
        document = {"schema": 1, "ok": code == Exit.AS_EXPECTED, "exit_code": code}
        print(json.dumps(document | {"styles": figures, "problems": problems}))
    else:
        wide().print(soak_table(figures))
        for row in result.rows:
            for line in findings(row):
                print(line)
            print(row.folder)
        for problem in problems:
            print(f"not as it must be: {problem}")
    raise typer.Exit(code)
