"""`saga traceability`: how right and how expensive each kind of evidence is, over scenarios, with trace context intact and broken."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from kernel.saga import Saga
from report.charts import save
from report.text_table import TextTable, markdown, rich_table
from report.traceability import (
    BROKEN,
    INTACT,
    NOT_READING,
    READING,
    Scored,
    by_scenario,
    costs,
    score_chart,
    summary,
)
from scenarios.catalog.index import scenarios_of
from scenarios.evidence.evidence import order_ids, read_evidence
from scenarios.evidence.scores import score
from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.judge.verdict import Exit
from scenarios.runs.backends import as_options, which_options
from scenarios.runs.folder import SCHEMA
from scenarios.runs.scenario import Scenario
from testbed import settings
from testbed.execution import run_scenarios, run_until_done, say_backends, wide
from testbed.options import AsJson, Broker, Engine, Out, SagaOption, Seed, Styles, TimeScale
from testbed.runs import SuiteResult, suite_folder

RATE_PER_S = 50.0


def loses_context(saga: Saga) -> FaultPlan:
    """One service, in the middle of the saga, whose library drops the context of what it receives."""
    middle = saga.forward[len(saga.forward) // 2]
    lost = Fault(orders="all", operation=middle, moment=Moment.CONTEXT_LOST, attempts="all")
    return FaultPlan(faults=(lost,))


def traceability(
    scenarios: Annotated[
        list[str] | None, typer.Argument(help="Scenario names from saga list, or all.")
    ] = None,
    style: Styles = "both",
    orders: Annotated[int, typer.Option(min=1, max=10_000, help="Orders in each run.")] = 30,
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    broker: Broker = "auto",
    engine: Engine = "auto",
    time_scale: TimeScale = 0.02,
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Rebuild every saga from each kind of evidence and compare the result with the ledgers.

    Runs each scenario twice in each style: with trace context intact, and with one service that loses it.
    """
    chosen_saga = load_saga(saga)
    wanted = settings.choose_scenarios(chosen_saga, scenarios or ["all"])
    styles = settings.choose_styles(style)
    chosen = settings.choose_broker(broker)
    engine = settings.choose_engine(engine, chosen)
    say_backends(chosen, engine)
    wanted_runs = Traced(
        saga=chosen_saga,
        scenarios=wanted,
        styles=styles,
        broker=chosen,
        engine=engine,
        orders=orders,
        seed=seed,
        time_scale=time_scale,
    )
    folder = suite_folder(out, f"traceability-s{seed}")
    scored, document, _ = traceability_into(folder, wanted_runs)
    chart = folder / "traceability.png"
    if as_json:
        print(json.dumps(document))
    else:
        for title, table in _tables(scored).items():
            wide().print(rich_table(title, *table))
        print(f"{READING}\n{NOT_READING}\nChart: {chart}\nAll of it: {folder}")
    raise typer.Exit(Exit.AS_EXPECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """What decides the runs."""

    saga: Saga
    scenarios: list[Scenario]
    styles: list[str]
    broker: str
    engine: str
    orders: int
    seed: int
    time_scale: float

    def command(self) -> str:
        """What runs the same again."""
        names = [scenario.name for scenario in self.scenarios]
        every = names == list(scenarios_of(self.saga))
        parts = ["saga traceability", *([] if every else names)]
        parts.append(f"--orders {self.orders} --seed {self.seed} --time-scale {self.time_scale:g}")
        parts.append(as_options(self.broker, self.engine))
        return " ".join(parts + which_options(self.styles, self.saga.address))


def traceability_into(
    folder: Path, wanted: Traced
) -> tuple[list[Scored], dict[str, Any], SuiteResult]:
    """Run and score, and leave scores, tables and chart in a folder; the scores, the document, and the runs with context intact."""
    results = _in_both_contexts(folder, wanted)
    scored = [
        Scored(
            scenario=row.scenario,
            style=row.style,
            arm=row.arm,
            context=BROKEN if row.context_broken else INTACT,
            scores=score(row.folder, read_evidence(row.folder, order_ids(row.folder))),
        )
        for result in results
        for row in result.rows
        if not row.no_counterpart
    ]
    document = {
        "schema": SCHEMA,
        "ok": True,
        "command": wanted.command(),
        "scored": [one.to_json() for one in scored],
    }
    (folder / "traceability.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    tables = _tables(scored)
    text = "\n".join(f"### {title}\n\n{markdown(*table)}" for title, table in tables.items())
    (folder / "traceability.md").write_text(text, "utf-8")
    save(score_chart(scored), folder, "traceability")
    return scored, document, results[0]


def _tables(scored: list[Scored]) -> dict[str, TextTable]:
    return {
        "Over all scenarios": summary(scored),
        "What one answer costs": costs(scored),
        "By scenario": by_scenario(scored),
    }


def _in_both_contexts(folder: Path, wanted: Traced) -> list[SuiteResult]:
    """Every scenario in every style, with trace context intact and then with a service that loses it; below `folder`."""
    results = []
    for context, plan in ((INTACT, FaultPlan()), (BROKEN, loses_context(wanted.saga))):
        below = folder / f"context_{context}"
        below.mkdir()
        results.append(
            run_until_done(
                run_scenarios(
                    partial(Path, below),
                    saga=wanted.saga,
                    arms=[(scenario, Guards.all()) for scenario in wanted.scenarios],
                    styles=wanted.styles,
                    broker=wanted.broker,
                    engine=wanted.engine,
                    orders=wanted.orders,
                    seed=wanted.seed,
                    rate_per_s=RATE_PER_S,
                    time_scale=wanted.time_scale,
                    extra_plan=plan,
                    variety="none",
                    reads_per_s=0.0,
                )
            )
        )
    return results
