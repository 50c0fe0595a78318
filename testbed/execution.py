"""What several commands do alike: carry work out until it ends or is interrupted, and say over what."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from bench.results import RunRow
from choreography.brokers import KINDS
from choreography.rabbit_connection import AMQP_VARIABLE
from choreography.rabbit_node import find_server
from kernel import event_loop
from kernel.guards import Guards
from kernel.policy import Policy
from kernel.saga import Saga
from report.tables import comparison
from scenarios.faults.plan import FaultPlan
from scenarios.runs.arrivals import Arrivals
from scenarios.runs.backends import open_backends
from scenarios.runs.scenario import Scenario
from scenarios.runs.spec import READS_PER_S, RunSpec, no_counterpart
from scenarios.runs.variety import parse
from scenarios.runs.workload import ServiceTimes
from testbed import settings
from testbed.runs import SuiteResult, run_suite

T = TypeVar("T")
WIDE = 190


async def run_scenarios(
    make_folder: Callable[[], Path],
    *,
    saga: Saga,
    arms: Sequence[tuple[Scenario, Guards]],
    styles: list[str],
    broker: str,
    engine: str,
    orders: int,
    seed: int,
    rate_per_s: float,
    time_scale: float,
    durability: str = "process",
    variant: str = "",
    extra_plan: FaultPlan | None = None,
    rules: Policy | None = None,
    processes: bool = False,
    customers_apart: bool = False,
    hold_s: float = 0.0,
    trouble_every_s: float = 0.0,
    troubles_at_once: int = 1,
    evidence: bool = True,
    trace_sampling: float = 1.0,
    otlp: str = "",
    arrivals: str = Arrivals.POISSON,
    service_times: ServiceTimes | None = None,
    variety: str = "usual",
    redrive: bool = False,
    bug: str = "",
    reads_per_s: float = READS_PER_S,
    repeat: int = 1,
    only_counterparts: bool = False,
) -> SuiteResult:
    """Every arm (a scenario and its safeguards) in every style over the same backends, `repeat` times with seeds from `seed` on.

    `only_counterparts`: leave out runs that mean nothing in their style. Repeated arms run in an order drawn from the seed, so that no style always comes first.
    """
    await settings.check_backends(broker, engine)
    await settings.check_otlp(otlp)
    folder = make_folder()
    async with open_backends(broker, engine, home=folder) as backends:
        specs = [
            RunSpec(
                saga=saga,
                scenario=scenario,
                style=style,
                orders=orders,
                seed=number,
                backends=backends,
                rate_per_s=rate_per_s,
                time_scale=time_scale,
                durability=durability,
                guards=guards,
                variant=variant or saga.variant,
                extra_plan=extra_plan or FaultPlan(),
                rules=rules or Policy(),
                processes=processes,
                customers_apart=customers_apart,
                hold_s=hold_s,
                trouble_every_s=trouble_every_s,
                troubles_at_once=troubles_at_once,
                evidence=evidence,
                trace_sampling=trace_sampling,
                otlp=otlp,
                arrivals=arrivals,
                service_times=service_times,
                variety=parse(variety, saga, guards),
                redrive=redrive,
                bug=bug,
                reads_per_s=reads_per_s,
            )
            for scenario, guards in arms
            for style in styles
            for number in range(seed, seed + repeat)
        ]
        if only_counterparts:
            specs = [spec for spec in specs if not no_counterpart(spec)]
        if repeat > 1:
            random.Random(seed).shuffle(specs)
        return await run_suite(specs, folder)


def run_until_done(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; SIGINT and SIGTERM cancel it, and everything it started ends with it."""

    async def cancellable() -> T:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await work
        finally:
            # Whoever works on after this, outside of any loop, must hear Ctrl-C again.
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    return event_loop.run(cancellable())


def say_backends(broker: str, engine: str) -> None:
    """Tell the user, on standard error, what the styles run over."""
    names = {kind.name: kind.words for kind in KINDS}
    engines = {
        "inprocess": "the Step Functions engine in this process",
        "embedded": "the embedded Step Functions engine over HTTP",
    }
    print(
        f"Choreography over {names.get(broker, 'the server of the given URL')},"
        f" orchestration over {engines.get(engine, engine)}.",
        file=sys.stderr,
    )
    if broker == "memory" and find_server() is None:
        print(
            "RabbitMQ is not used: install rabbitmq-server or set"
            f" {AMQP_VARIABLE} for the real pair.",
            file=sys.stderr,
        )


def wide() -> Console:
    """A console on which tables keep their columns: of a terminal's width, or of the one in COLUMNS, else wide enough."""
    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=WIDE)


def show(rows: Sequence[RunRow]) -> None:
    """Print the comparison of runs as the console allows."""
    console = wide()
    console.print(comparison(rows, columns=console.width))
