"""`saga demo`."""

from collections.abc import Sequence
from pathlib import Path

import typer

from bench.results import RunRow
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from report.conclusions import CONCLUSIONS
from report.lessons import lessons
from report.page import write_report
from report.saga_in_run import telling_order
from report.tables import distance_from_saturation
from scenarios.catalog.index import headline_of
from scenarios.styles.index import STYLES
from testbed import settings
from testbed.execution import run_scenarios, run_until_done, say_backends, show
from testbed.load import collected
from testbed.options import DEMO_TIME_SCALE, Broker, Engine, Orders, Out, SagaOption, Seed
from testbed.runs import SuiteResult, suite_folder

DEMO_RATE_PER_S = 40.0


def demo(
    orders: Orders = 24,
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    broker: Broker = "auto",
    engine: Engine = "auto",
    out: Out = Path("runs"),
) -> None:
    """Break both styles without safeguards, without one, and with all: what is damaged, and what prevents it.

    Prints the damage, a table of all runs and the order to look at first, and makes a page with charts. Exit code 1 if a run with all
    safeguards does not end as its scenario says.
    """
    chosen_saga = load_saga(saga)
    arms = headline_of(chosen_saga)
    chosen = settings.choose_broker(broker)
    engine = settings.choose_engine(engine, chosen)
    say_backends(chosen, engine)
    result = run_until_done(
        run_scenarios(
            lambda: suite_folder(out, "demo"),
            saga=chosen_saga,
            arms=arms,
            styles=list(STYLES),
            broker=chosen,
            engine=engine,
            orders=orders,
            seed=seed,
            rate_per_s=DEMO_RATE_PER_S,
            time_scale=DEMO_TIME_SCALE,
            only_counterparts=True,
        )
    )
    page = write_report(collected(result.folder), result.folder / "report")["html"]
    for line in lessons(result.rows):
        print(f"- {line}")
    show(result.rows)
    print("\n".join(_look_at(result.rows, page)))
    print(distance_from_saturation(result.rows))
    print(CONCLUSIONS[result.rows[0].about["backends"]["pair"]])
    print(f"Runs:   {result.folder}\nCharts: {page.parent}/*.png, *.svg\nPage:   {page}")
    guarded = [row for row in result.rows if row.about["guards"] == str(Guards.all())]
    raise typer.Exit(SuiteResult(folder=result.folder, rows=guarded).exit_code())


def _look_at(rows: Sequence[RunRow], page: Path) -> list[str]:
    """The most telling order, with the command that explains it and the page that replays it."""
    found = telling_order([row for row in rows if not row.no_counterpart])
    if found is None:
        return []
    (row, *_), order_id = found
    return [
        f"Look at this order: {order_id} in {row.scenario}, {row.label}.",
        f"  saga where {order_id} --run {row.folder}",
        f"  replay: {page.parent / 'replay.html'}",
    ]
