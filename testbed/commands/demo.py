"""`saga demo`."""

from pathlib import Path

import typer

from kernel.loading import DEFAULT, load_saga
from report.conclusions import CONCLUSIONS
from report.page import write_report
from report.tables import distance_from_saturation
from scenarios.catalog.index import headline_of
from scenarios.styles.index import STYLES
from testbed import settings
from testbed.execution import run_scenarios, run_until_done, say_backends, show
from testbed.load import collected
from testbed.options import DEMO_TIME_SCALE, Broker, Engine, Orders, Out, SagaOption, Seed
from testbed.runs import suite_folder

DEMO_RATE_PER_S = 90.0


def demo(
    orders: Orders = 50,
    seed: Seed = 1,
    saga: SagaOption = DEFAULT,
    broker: Broker = "auto",
    engine: Engine = "auto",
    out: Out = Path("runs"),
) -> None:
    """Compare both styles under the headline scenarios; print a table, make charts and a page."""
    chosen_saga = load_saga(saga)
    chosen = settings.choose_broker(broker)
    engine = settings.choose_engine(engine, chosen)
    say_backends(chosen, engine)
    result = run_until_done(
        run_scenarios(
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
    show(result.rows)
    print(distance_from_saturation(result.rows))
    print(CONCLUSIONS[result.rows[0].about["backends"]["pair"]])
    print(f"Runs:   {result.folder}\nCharts: {page.parent}/*.png, *.svg\nPage:   {page}")
    raise typer.Exit(result.exit_code())
