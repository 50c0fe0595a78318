"""`saga run`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from kernel.errors import UsageError
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from kernel.policy import OnDeadline, Policy
from report.columns import RUN_COLUMNS, values
from report.repeats import rates, rates_table
from report.tables import distance_from_saturation, findings, worst_order
from scenarios.campaigns.check_oracle import chosen_bugs
from scenarios.judge.verdict import Exit
from scenarios.runs.arrivals import Arrivals
from scenarios.runs.interrupted import Interrupted
from scenarios.runs.spec import READS_PER_S
from scenarios.runs.variety import parse
from scenarios.runs.workload import ServiceTimes
from testbed import settings
from testbed.execution import run_scenarios, run_until_done, say_backends, show, wide
from testbed.options import (
    DEMO_TIME_SCALE,
    ArrivalsOption,
    AsJson,
    Broker,
    Durability,
    Engine,
    Orders,
    Otlp,
    Out,
    Rate,
    SagaOption,
    Scenarios,
    Seed,
    ServiceTimesOption,
    StepOrder,
    Styles,
    TimeScale,
    TraceSampling,
    VarietyOption,
)
from testbed.runs import SuiteResult, resume_run, suite_folder

USUAL = Policy()


def run(
    scenarios: Scenarios = None,
    style: Styles = "both",
    orders: Orders = 50,
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    broker: Broker = "auto",
    engine: Engine = "auto",
    durability: Annotated[
        Durability,
        typer.Option(help="What the data survive: process = kill -9, power = power loss."),
    ] = Durability.process,
    guards: Annotated[
        str,
        typer.Option(
            help="Safeguards: all, none, or a list to switch off, as in --guards=-outbox,-inbox"
        ),
    ] = "all",
    plan: Annotated[
        Path | None,
        typer.Option(
            help="JSON file with faults to add to the scenario's (docs/reference/faults.md)."
        ),
    ] = None,
    time_scale: TimeScale = DEMO_TIME_SCALE,
    rate: Rate = 50.0,
    arrivals: ArrivalsOption = Arrivals.POISSON,
    service_times: ServiceTimesOption = "",
    step_order: StepOrder = "",
    repeat: Annotated[
        int,
        typer.Option(
            min=1,
            max=1000,
            help="Number of runs of each arm, with consecutive seeds from --seed, in shuffled order.",
        ),
    ] = 1,
    retries: Annotated[
        int, typer.Option(min=0, max=10, help="Retries after the first attempt.")
    ] = USUAL.max_retries,
    retry_interval: Annotated[
        int,
        typer.Option(
            min=1,
            max=8,
            help="Seconds before the first retry, before --time-scale; doubled each time, at most 8 s.",
        ),
    ] = int(USUAL.interval_s),
    step_deadline: Annotated[
        int,
        typer.Option(
            min=1, max=86_400, help="Seconds that one attempt may take, before --time-scale."
        ),
    ] = int(USUAL.step_deadline_s),
    saga_deadline: Annotated[
        int,
        typer.Option(min=1, max=604_800, help="Seconds that a saga may take, before --time-scale."),
    ] = int(USUAL.saga_deadline_s),
    on_deadline: Annotated[
        OnDeadline,
        typer.Option(
            help="What happens to a saga that is open past its deadline: it is compensated, or only reported."
        ),
    ] = OnDeadline.COMPENSATE,
    processes: Annotated[
        bool, typer.Option("--processes", help="Run each participant in its own process.")
    ] = False,
    customers_apart: Annotated[
        bool,
        typer.Option(
            "--customers-apart",
            help="Run the customers in a separate process, so that they take no CPU time from the services.",
        ),
    ] = False,
    hold: Annotated[
        float,
        typer.Option(
            min=0,
            max=86_400,
            help="Seconds to wait for an operator (saga dead-letters, saga executions) if sagas are parked.",
        ),
    ] = 0.0,
    variety: VarietyOption = "usual",
    bug: Annotated[
        str,
        typer.Option(
            help="Plant this bug (see saga list) in the scenario that shows it, or in those given, and show what the judge says."
        ),
    ] = "",
    redrive: Annotated[
        bool,
        typer.Option(
            "--redrive",
            help="Redrive what is parked once the run has settled and its faults are over: all of it must end then.",
        ),
    ] = False,
    reads: Annotated[
        float,
        typer.Option(
            min=0, max=1000, help="How often per second somebody reads the status of an order."
        ),
    ] = READS_PER_S,
    trace_sampling: TraceSampling = 1.0,
    otlp: Otlp = "",
    out: Out = Path("runs"),
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a run that was killed or interrupted: resume it, over its databases and what its coordinator had. Other options are its own."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run scenarios in both styles and judge the ledgers. Each run writes a run folder."""
    if (resume is None) is not bool(scenarios or bug):
        raise UsageError("give scenarios (see saga list), --bug NAME, or --resume FOLDER")
    if resume is not None:
        result = run_until_done(resume_run(Interrupted.at(resume), broker))
        _show(result, repeat=1, as_json=as_json)
        raise typer.Exit(result.exit_code())
    chosen = settings.choose_broker(broker)
    engine = settings.choose_engine(engine, chosen)
    if redrive and processes:
        raise UsageError("--redrive cannot end the faults in separate processes: omit --processes")
    parse(variety, load_saga(saga), Guards.parse(guards))
    if processes:
        settings.check_processes(chosen, engine, "--processes")
    if customers_apart:
        settings.check_processes(chosen, engine, "--customers-apart")
    chosen_saga = load_saga(saga)
    variant = settings.choose_variant(chosen_saga, step_order)
    checked_guards, extra = Guards.parse(guards), settings.read_plan(plan, chosen_saga)
    styles = settings.choose_styles(style)
    if bug:
        (with_bug,) = chosen_bugs(chosen_saga, [bug])
        styles = [name for name in styles if name in with_bug.found_by]
        if not styles:
            raise UsageError(f"the bug {bug} can only be in {', '.join(with_bug.found_by)}")
        if processes:
            raise UsageError("a bug can be planted in this process only: omit --processes")
        if not scenarios:
            scenarios, extra = [with_bug.scenario], extra + with_bug.plan
        print(f"Planted: {with_bug.words}.", file=sys.stderr)
    wanted = settings.choose_scenarios(chosen_saga, scenarios or [])
    rules = Policy(
        max_retries=retries,
        interval_s=retry_interval,
        step_deadline_s=step_deadline,
        saga_deadline_s=saga_deadline,
        on_deadline=on_deadline.value,
    )
    settings.check_policy(rules)
    times = None
    if service_times:
        times = ServiceTimes.parse(service_times).check(chosen_saga.services)
    say_backends(chosen, engine)
    several = len(wanted) * len(styles) * repeat > 1
    result = run_until_done(
        run_scenarios(
            lambda: suite_folder(out, f"suite-s{seed}") if several else out,
            saga=chosen_saga,
            arms=[(scenario, checked_guards) for scenario in wanted],
            styles=styles,
            broker=chosen,
            engine=engine,
            orders=orders,
            seed=seed,
            rate_per_s=rate,
            time_scale=time_scale,
            durability=durability.value,
            variant=variant,
            extra_plan=extra,
            rules=rules,
            processes=processes,
            customers_apart=customers_apart,
            hold_s=hold,
            trace_sampling=trace_sampling,
            otlp=otlp,
            arrivals=arrivals.value,
            service_times=times,
            variety=variety,
            redrive=redrive,
            bug=bug,
            reads_per_s=reads,
            repeat=repeat,
        )
    )
    _show(result, repeat=repeat, as_json=as_json)
    raise typer.Exit(result.exit_code())


def _show(result: SuiteResult, *, repeat: int, as_json: bool) -> None:
    if as_json:
        _print_json(result)
    else:
        if repeat > 1:
            wide().print(rates_table(result.rows))
        else:
            show(result.rows)
            print(distance_from_saturation(result.rows))
        for row in result.rows:
            for line in findings(row):
                print(line)
            print(f"{row.folder}")
            if not row.verdict["as_expected"]:
                print(f"  again: {row.about['replay']}")
            if order_id := worst_order(row):
                print(f"  its story: saga trace {order_id} --run {row.folder}")


def _print_json(result: SuiteResult) -> None:
    runs = [
        values(RUN_COLUMNS, row)
        | {
            "folder": str(row.folder),
            "classes": row.verdict["classes"],
            "problems": row.verdict["problems"],
            "backends": row.about["backends"],
            "pace": row.about["pace"],
            "replay": row.about["replay"],
        }
        for row in result.rows
    ]
    ok = result.exit_code() == Exit.AS_EXPECTED
    document = {"schema": 1, "ok": ok, "exit_code": result.exit_code(), "runs": runs}
    print(json.dumps(document | {"rates": rates(result.rows)}))
