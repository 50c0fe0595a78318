"""`saga cost`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.cost.counts import COMMITTED, Counts, counts
from bench.cost.measuring import ORDERS, measuring_plan
from bench.cost.platforms import CostCase, bills
from bench.cost.prices import prices
from bench.results import RunRow, find_runs
from kernel.errors import UsageError
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from report.charts import save
from report.cost_chart import cost_chart
from report.cost_tables import (
    COLUMNS,
    COUNTED_COLUMNS,
    NOT_COUNTED,
    as_document,
    break_evens,
    counted,
    lines,
    price_lines,
)
from report.text_table import rich_table
from scenarios.catalog import any_ending
from scenarios.styles.index import STYLES
from testbed.execution import run_scenarios, run_until_done, wide
from testbed.options import AsJson, Out, SagaOption, Seed
from testbed.runs import suite_folder

_RATE_PER_S, _TIME_SCALE = 60.0, 0.1
"""Slow enough that a busy machine adds no retries of its own."""


def cost(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of runs to count in; default: a short run of each style is made."),
    ] = None,
    orders_per_day: Annotated[float, typer.Option(min=0.01, max=1e9, help="Orders a day.")] = 10_000,
    refused: Annotated[float, typer.Option(min=0, max=1, help="Share of orders that are refused and compensated.")] = 0.03,
    retried: Annotated[float, typer.Option(min=0, max=1, help="Share of orders of which attempts fail and are repeated.")] = 0.01,
    execution_s: Annotated[
        float | None,
        typer.Option(min=0.001, max=3e7, help="Seconds a saga takes, for Express; default: as measured in the runs."),
    ] = None,
    payload_kib: Annotated[float, typer.Option(min=0, max=1e6, help="KiB that every message carries beside what was counted.")] = 0,
    memory_mb: Annotated[float, typer.Option(min=1, max=10_240, help="Memory of an Express execution in MB.")] = 64,
    task_ms: Annotated[float, typer.Option(min=1, max=900_000, help="Milliseconds that a service on Lambda takes.")] = 100,
    task_mb: Annotated[float, typer.Option(min=128, max=10_240, help="Memory of a service on Lambda in MB.")] = 128,
    price: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=USD|LOW..HIGH", help="A price of your own; repeatable. Names: see the table of prices."),
    ] = None,
    price_file: Annotated[
        list[Path] | None,
        typer.Option("--prices", help="TOML file with prices of your own (bench/cost/prices.toml shows the form); repeatable."),
    ] = None,
    saga: SagaOption = DEFAULT,
    seed: Seed = 1,
    out: Out = Path("runs"),
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Price the coordination of a million orders and of a month, from what runs counted and prices with a source."""
    known = prices(price_file or [], price or [])
    rows, folder = (_found(runs), runs[0]) if runs else _made(saga, seed, out)
    found = counts(rows)
    conducted = next(name for name, style in STYLES.items() if style.conducted)
    case = CostCase(
        orders_per_day=orders_per_day,
        refused_ratio=refused,
        retried_ratio=retried,
        execution_s=execution_s or found[conducted][COMMITTED].seconds,
        payload_kib=payload_kib,
        memory_mb=memory_mb,
        task_ms=task_ms,
        task_mb=task_mb,
    )
    made = bills(found, case, known)
    png, _ = save(cost_chart(found, case, known), folder, "cost")
    if as_json:
        print(json.dumps(as_document(found, made, case) | {"chart": str(png)}))
        return
    console = wide()
    console.print(rich_table("What an order uses, on average", COUNTED_COLUMNS, counted(found)))
    console.print(rich_table("Prices", ("price", "USD", "unit", "from"), price_lines(known)))
    title = f"{orders_per_day:,.0f} orders a day, {100 * refused:g} % refused, {100 * retried:g} % retried, {case.execution_s:.3g} s a saga"
    if execution_s is None:
        title += " (as measured here; AWS takes longer: --execution-s)"
    console.print(rich_table(title, COLUMNS, lines(made)))
    for line in break_evens(made, case):
        print(line)
    print(f"{NOT_COUNTED}\nRuns:  {folder}\nChart: {png}")
    _say_scale(found)


def _say_scale(found: Counts) -> None:
    styles = ", ".join(
        f"{sum(use.orders for use in outcomes.values())} orders of {style}"
        for style, outcomes in found.items()
    )
    print(f"Counted in {styles}. How it is counted, and one example by hand: docs/cost.md")


def _found(folders: list[Path]) -> list[RunRow]:
    rows = [row for folder in folders for row in find_runs(folder)[0]]
    if not rows:
        raise UsageError(f"no runs in {folders[0]}: give a run folder, or none to have them made")
    return rows


def _made(saga: str, seed: int, out: Path) -> tuple[list[RunRow], Path]:
    """A short run of each style over the embedded pair: what is counted does not depend on the pair."""
    chosen = load_saga(saga)
    result = run_until_done(
        run_scenarios(
            lambda: suite_folder(out, "cost"),
            saga=chosen,
            arms=[(any_ending.SCENARIO, Guards.all())],
            styles=list(STYLES),
            broker="memory",
            engine="inprocess",
            orders=ORDERS,
            seed=seed,
            rate_per_s=_RATE_PER_S,
            time_scale=_TIME_SCALE,
            extra_plan=measuring_plan(chosen),
            variety="none",
        )
    )
    return result.rows, result.folder
