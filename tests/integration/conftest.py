"""One way to carry a run out in tests."""

import asyncio
import sys
from dataclasses import dataclass, replace

import pytest

from kernel.guards import Guards
from kernel.policy import Policy
from scenarios.catalog.index import scenarios_of
from scenarios.faults.plan import FaultPlan
from scenarios.runs.environment import Backends
from scenarios.runs.runner import run
from scenarios.runs.spec import RunSpec
from shared_domain.order.saga import SAGA
from testbed.cli import main


@dataclass
class Done:
    """What a finished command left behind."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def saga(tmp_path, monkeypatch, capsys):
    """Run the program in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAGA_AMQP_URL", raising=False)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["saga", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return run


@pytest.fixture
def run_scenario(tmp_path):
    """Run a scenario of the catalog; its RunResult."""

    async def ran(
        scenario, style, *, backends=None, orders=12, seed=1, rate_per_s=60.0, faults=(), guards=None,
        rules=None, time_scale=0.0, saga=SAGA, variant="", processes=False, durability="process",
        during=None, **changes,
    ):  # fmt: skip
        """`during`: what is done, once, when a third of the orders have been placed."""
        backends = backends or Backends()
        # Deadlines of 150 ms are too short for processes that share two cores with other tests.
        time_scale = time_scale or (0.1 if backends.engine == "embedded" else 0.03)
        spec = RunSpec(
            saga=saga,
            variant=variant or saga.variant,
            scenario=replace(scenarios_of(saga)[scenario], **changes),
            style=style,
            orders=orders,
            seed=seed,
            backends=backends,
            rate_per_s=rate_per_s,
            time_scale=time_scale,
            guards=guards or Guards.all(),
            rules=rules or Policy(),
            extra_plan=FaultPlan.from_json({"schema": 1, "faults": list(faults)}),
            processes=processes,
            durability=durability,
        )
        placed, third = [], asyncio.Event()

        def progress(count):
            placed.append(count)
            if sum(placed) >= orders / 3:
                third.set()

        async def strike():
            await third.wait()
            await during()

        if during is None:
            return await run(spec, runs=tmp_path / "runs", facts={})
        async with asyncio.TaskGroup() as running:
            running.create_task(strike())
            return await run(spec, runs=tmp_path / "runs", facts={}, progress=progress)

    return ran


@pytest.fixture
def real_pair(rabbit):
    """RabbitMQ, and the engine as a process of its own."""
    return Backends(broker=rabbit.url, node=rabbit, engine="embedded")
