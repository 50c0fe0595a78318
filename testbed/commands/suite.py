"""`saga suite`: everything that the report has a section for, and the report."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kernel.loading import DEFAULT, load_saga
from kernel.saga import Saga
from report.conclusions import CONCLUSIONS
from report.page import write_report
from report.tables import distance_from_saturation
from scenarios.campaigns.ablation import Ablation, telling
from scenarios.campaigns.sweep import Sweep
from scenarios.catalog.index import scenarios_of
from scenarios.styles.index import STYLES
from testbed import settings
from testbed.commands.ablate import ablate_into
from testbed.commands.sweep import ALL, LEAST_SCALE, sweep_into
from testbed.commands.traceability import Traced, traceability_into
from testbed.execution import say_backends, show
from testbed.load import collected
from testbed.options import Broker, Engine, Out, SagaOption, Seed
from testbed.runs import in_hand, suite_folder

TIME_SCALE = 0.02


def suite(
    orders: Annotated[int, typer.Option(min=4, max=10_000, help="Orders in each run.")] = 30,
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    broker: Broker = "auto",
    engine: Engine = "auto",
    out: Out = Path("runs"),
) -> None:
    """Run every scenario, traceability, the fault space and the safeguards, and make the report. About eight minutes."""
    chosen_saga = load_saga(saga)
    chosen = settings.choose_broker(broker)
    engine = settings.choose_engine(engine, chosen)
    say_backends(chosen, engine)
    folder = suite_folder(out, f"suite-s{seed}")
    _say("1 of 3: every scenario in both styles, with trace context intact and broken")
    everything = Traced(
        saga=chosen_saga,
        scenarios=list(scenarios_of(chosen_saga).values()),
        styles=list(STYLES),
        broker=chosen,
        engine=engine,
        orders=orders,
        seed=seed,
        time_scale=TIME_SCALE,
    )
    _, _, intact = traceability_into(_below(folder, "runs"), everything)
    _say("2 of 3: the fault space, under virtual time")
    fault_space = _below(folder, "fault_space")
    with in_hand(fault_space):
        sweep_into(fault_space, _every_fault(chosen_saga, seed))
    _say("3 of 3: every safeguard off, one at a time, on the embedded pair")
    ablate_into(_below(folder, "safeguards"), _every_guard(chosen_saga, seed))
    page = write_report(collected(folder), folder / "report", formats=["html", "md", "csv", "json"])
    show(intact.rows)
    print(distance_from_saturation(intact.rows))
    print(CONCLUSIONS[intact.rows[0].about["backends"]["pair"]])
    print(f"Runs:   {folder}\nCharts: {folder}/report/*.png, *.svg\nPage:   {page['html']}")
    raise typer.Exit(intact.exit_code())


def _every_fault(saga: Saga, seed: int) -> Sweep:
    return Sweep(
        depth=1,
        sample=ALL,
        styles=list(STYLES),
        guards="all",
        broker="memory",
        engine="inprocess",
        orders=4,
        seed=seed,
        rate_per_s=100.0,
        time_scale=LEAST_SCALE["embedded"],
        variant=saga.variant,
        saga=saga.address,
        simulated=True,
    )


def _every_guard(saga: Saga, seed: int) -> Ablation:
    return Ablation(
        saga=saga.address,
        styles=list(STYLES),
        scenarios=telling(saga),
        broker="memory",
        engine="inprocess",
        orders=20,
        seeds=[seed],
        rate_per_s=100.0,
        time_scale=0.1,
    )


def _below(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir()
    return path


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
