"""The command line `saga`."""

import asyncio
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from choreography.rabbit_connection import quieten_clients
from kernel import event_loop
from kernel.database import SYNCHRONOUS
from kernel.errors import Failure, UsageError, first
from kernel.guards import OFF, Guards
from kernel.loading import DEFAULT, load_saga
from kernel.policy import OnDeadline
from orchestration.engine.errors import HistoryDamaged
from orchestration.server import serve
from report.page import CONCLUSIONS, write_report
from report.repeats import rates, rates_table
from report.tables import comparison, findings
from scenarios.catalog.bugs import bugs_of
from scenarios.catalog.index import headline_of, scenarios_of
from scenarios.faults.plan import MEANING
from scenarios.judge.verdict import Exit
from scenarios.runs.arrivals import Arrivals
from scenarios.runs.workload import ServiceTimes
from scenarios.styles.index import STYLES
from testbed import settings
from testbed.commands import broker as brokering
from testbed.commands.ablate import ablate
from testbed.commands.bench import bench
from testbed.commands.check_oracle import check_oracle
from testbed.commands.explore import explore
from testbed.commands.parked import operating
from testbed.commands.replay import replay
from testbed.commands.soak import soak
from testbed.commands.suite import suite
from testbed.commands.sweep import sweep
from testbed.commands.trace import trace, where
from testbed.commands.traceability import traceability
from testbed.execution import carry_out, carry_suite, say_backends, wide
from testbed.load import collected
from testbed.options import (
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
    Seed,
    ServiceTimesOption,
    StepOrder,
    TimeScale,
    TraceSampling,
)
from testbed.runs import SuiteResult, suite_folder

T = TypeVar("T")
DEMO_RATE_PER_S, DEMO_TIME_SCALE = 90.0, 0.02

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Compare choreography and orchestration: the same saga, the same faults, judged by ledgers.",
    epilog="Exit codes: 0 as the scenario expects, 1 not as expected, 2 wrong usage, 3 unknown.",
)


@app.command()
def demo(
    orders: Orders = 50,
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    broker: Broker = "auto",
    engine: Engine = "auto",
    out: Out = Path("runs"),
) -> None:
    """The headline comparison: both styles, every headline scenario, table, charts and page."""
    chosen_saga = load_saga(saga)
    chosen = settings.choose_broker(broker)
    engine = settings.choose_engine(engine, chosen)
    say_backends(chosen, engine)
    result = carry_out(
        carry_suite(
            lambda: suite_folder(out, "demo"),
            saga=chosen_saga,
            scenarios=headline_of(chosen_saga),
            styles=list(STYLES),
            broker=chosen,
            engine=engine,
            orders=orders,
            seed=seed,
            rate_per_s=DEMO_RATE_PER_S,
            time_scale=DEMO_TIME_SCALE,
        )
    )
    page = write_report(collected(result.folder), result.folder / "report")["html"]
    wide().print(comparison(result.rows))
    print(CONCLUSIONS[result.rows[0].about["backends"]["pair"]])
    print(f"Runs:   {result.folder}\nCharts: {page.parent}/*.png, *.svg\nPage:   {page}")
    raise typer.Exit(result.exit_code())


@app.command("run")
def run_scenarios(
    scenarios: Annotated[list[str], typer.Argument(help="Names from saga list, or all.")],
    style: Annotated[str, typer.Option(help="both, or names with commas.")] = "both",
    orders: Orders = 50,
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    broker: Broker = "auto",
    engine: Engine = "auto",
    durability: Annotated[
        Durability, typer.Option(help="What data survive: kill -9, or power loss.")
    ] = Durability.process,
    guards: Annotated[
        str, typer.Option(help="all, none, or those to switch off: --guards=-outbox,-inbox")
    ] = "all",
    plan: Annotated[
        Path | None, typer.Option(help="JSON file with faults beyond the scenario's.")
    ] = None,
    time_scale: TimeScale = DEMO_TIME_SCALE,
    rate: Rate = 50.0,
    arrivals: ArrivalsOption = Arrivals.POISSON,
    service_times: ServiceTimesOption = "",
    step_order: StepOrder = "",
    repeat: Annotated[
        int,
        typer.Option(
            min=1, max=1000, help="Runs of each arm, with seeds from --seed on, in shuffled order."
        ),
    ] = 1,
    on_deadline: Annotated[
        OnDeadline, typer.Option(help="What becomes of a saga that is open past its deadline.")
    ] = OnDeadline.COMPENSATE,
    processes: Annotated[
        bool, typer.Option("--processes", help="Each participant in a process of its own.")
    ] = False,
    hold: Annotated[
        float,
        typer.Option(
            min=0, max=86_400, help="Seconds to wait for an operator if sagas are parked."
        ),
    ] = 0.0,
    trace_sampling: TraceSampling = 1.0,
    otlp: Otlp = "",
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Run scenarios, judge them, and leave a run folder for each."""
    chosen = settings.choose_broker(broker)
    engine = settings.choose_engine(engine, chosen)
    if processes:
        settings.check_processes(chosen, engine)
    chosen_saga = load_saga(saga)
    variant = settings.choose_variant(chosen_saga, step_order)
    stories = settings.choose_scenarios(chosen_saga, scenarios)
    styles = settings.choose_styles(style)
    checked_guards, extra = Guards.parse(guards), settings.read_plan(plan, chosen_saga)
    times = None
    if service_times:
        times = ServiceTimes.parse(service_times).check(chosen_saga.services)
    say_backends(chosen, engine)
    several = len(stories) * len(styles) * repeat > 1
    result = carry_out(
        carry_suite(
            lambda: suite_folder(out, f"suite-s{seed}") if several else out,
            saga=chosen_saga,
            scenarios=stories,
            styles=styles,
            broker=chosen,
            engine=engine,
            orders=orders,
            seed=seed,
            rate_per_s=rate,
            time_scale=time_scale,
            durability=durability.value,
            guards=checked_guards,
            variant=variant,
            extra_plan=extra,
            on_deadline=on_deadline.value,
            processes=processes,
            hold_s=hold,
            trace_sampling=trace_sampling,
            otlp=otlp,
            arrivals=arrivals.value,
            service_times=times,
            repeat=repeat,
        )
    )
    if as_json:
        _print_json(result)
    else:
        wide().print(rates_table(result.rows) if repeat > 1 else comparison(result.rows))
        for row in result.rows:
            for line in findings(row):
                print(line)
            print(f"{row.folder}")
            if not row.verdict["as_expected"]:
                print(f"  again: {row.about['replay']}")
    raise typer.Exit(result.exit_code())


@app.command("list")
def list_all(saga: SagaOption = DEFAULT, as_json: AsJson = False) -> None:
    """Scenarios, faults and guards, with one line each."""
    chosen = load_saga(saga)
    kinds = {
        "scenarios": {name: " ".join(s.story.split()) for name, s in scenarios_of(chosen).items()},
        "faults": {str(moment): text for moment, text in MEANING.items()},
        "guards": {name: f"off: {text}{_no_counterpart(name)}" for name, text in OFF.items()},
        "bugs": {name: bug.words for name, bug in bugs_of(chosen.address).items()},
        "styles": {name: style.words for name, style in STYLES.items()},
    }
    if as_json:
        print(json.dumps({"schema": 1, "ok": True, **kinds}))
        return
    for title, entries in kinds.items():
        table = Table("name", "what it is", title=title, title_justify="left")
        for name, text in entries.items():
            table.add_row(name, text)
        wide().print(table)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A run folder, or a folder of run folders.")],
    formats: Annotated[
        str, typer.Option("--format", help="html, md, csv, json, or several with commas.")
    ] = "html",
    out: Annotated[
        Path | None, typer.Option(help="Where to write; default: report/ in the folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the report from run folders: tables, charts, page. What sweep, ablate and traceability left there is in it too."""
    wanted = settings.choose_formats(formats)
    found = collected(folder)
    written = write_report(found, out or folder / "report", formats=wanted)
    if as_json:
        files = {name: str(path) for name, path in written.items()}
        print(json.dumps({"schema": 1, "ok": True, "runs": len(found.rows), "written": files}))
        return
    wide().print(comparison(found.rows))
    for text in found.left_out:
        print(f"left out: {text}")
    for path in written.values():
        print(path)


@app.command()
def engine(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port on 127.0.0.1; 0 = any.")],
    lambda_endpoint: Annotated[
        str, typer.Option(help="Where Lambda functions are invoked: http://host:port")
    ],
    data: Annotated[Path | None, typer.Option(help="Folder of the durable history.")] = None,
    memory: Annotated[
        bool, typer.Option("--memory", help="Forget everything at the end, instead of --data.")
    ] = False,
    durability: Annotated[
        Durability, typer.Option(help="What the history survives.")
    ] = Durability.process,
    time_scale: TimeScale = 1.0,
    express_twice: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Fault: the share of Express starts that start two executions, as at-least-once allows.",
        ),
    ] = 0.0,
) -> None:
    """The embedded Step Functions alone, for any Step Functions client, until SIGTERM."""
    if (data is None) is not memory:
        raise UsageError(
            "give either --data FOLDER, to keep the history, or --memory, to forget it"
        )
    if not lambda_endpoint.startswith(("http://", "https://")):
        raise UsageError(f"--lambda-endpoint {lambda_endpoint!r} is not http://host:port")
    with tempfile.TemporaryDirectory(prefix="saga-engine-") as forgotten:
        folder = data or Path(forgotten)
        serving = serve(
            port=port,
            data=folder,
            lambda_endpoint=lambda_endpoint.rstrip("/"),
            time_scale=time_scale,
            durability=durability.value,
            express_twice=express_twice,
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            event_loop.run(serving)
        except (HistoryDamaged, OSError) as error:
            raise UsageError(str(error)) from error


def _no_counterpart(guard: str) -> str:
    styles = [name for name, style in STYLES.items() if guard in style.guards_without]
    return f" (no counterpart in {', '.join(styles)})" if styles else ""


def _print_json(result: SuiteResult) -> None:
    runs = [
        {
            "folder": str(row.folder),
            "scenario": row.scenario,
            "style": row.style,
            "judgement": row.verdict["judgement"],
            "as_expected": row.verdict["as_expected"],
            "classes": row.verdict["classes"],
            "problems": row.verdict["problems"],
            "seed": row.about["seed"],
            "replay": row.about["replay"],
        }
        for row in result.rows
    ]
    ok = result.exit_code() == Exit.AS_EXPECTED
    document = {"schema": 1, "ok": ok, "exit_code": result.exit_code(), "runs": runs}
    print(json.dumps(document | {"rates": rates(result.rows)}))


app.command()(soak)
app.command()(sweep)
app.command()(explore)
app.command()(replay)
app.command()(traceability)
app.command()(where)
app.command()(trace)
app.command()(suite)
app.command()(ablate)
app.command()(bench)
app.command("check-oracle")(check_oracle)
app.add_typer(brokering.app, name="broker")
for _style in STYLES.values():
    app.add_typer(operating(_style), name=_style.parked_command)


def main() -> None:
    """The program `saga`."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    quieten_clients()
    assert set(Durability) == set(SYNCHRONOUS)
    try:
        app()
    except* UsageError as group:
        error = first(group)
        print(f"error: {error}", file=sys.stderr)
        if "--json" in sys.argv:
            print(json.dumps({"schema": 1, "ok": False, "error": str(error)}))
        sys.exit(Exit.WRONG_USAGE)
    except* Failure as group:
        print(f"error: {first(group)}", file=sys.stderr)
        sys.exit(Exit.UNKNOWN)
    except* (KeyboardInterrupt, asyncio.CancelledError):
        print("interrupted: the run folder in hand is marked so", file=sys.stderr)
        sys.exit(Exit.INTERRUPTED)
