"""One way to carry a run out in tests."""

from dataclasses import replace

import pytest

from scenarios.catalog.index import SCENARIOS
from scenarios.fault_plan import FaultPlan
from scenarios.run_spec import RunSpec
from scenarios.runner import run
from scenarios.setting import Backends
from shared_domain.guards import Guards


@pytest.fixture
def carry_out(tmp_path):
    """Run a scenario of the catalog; its RunResult."""

    async def carried_out(
        scenario, style, *, backends=None, orders=12, seed=1, rate_per_s=60.0, faults=(), guards=None,
        on_deadline="compensate", time_scale=0.0, **changes,
    ):  # fmt: skip
        backends = backends or Backends()
        # Deadlines of 150 ms are too short for processes that share two cores with other tests.
        time_scale = time_scale or (0.1 if backends.engine == "embedded" else 0.03)
        spec = RunSpec(
            scenario=replace(SCENARIOS[scenario], **changes),
            style=style,
            orders=orders,
            seed=seed,
            backends=backends,
            rate_per_s=rate_per_s,
            time_scale=time_scale,
            guards=guards or Guards.all(),
            on_deadline=on_deadline,
            extra_plan=FaultPlan.from_json({"schema": 1, "faults": list(faults)}),
        )
        return await run(spec, runs=tmp_path / "runs", facts={})

    return carried_out


@pytest.fixture
def real_pair(rabbit):
    """RabbitMQ, and the engine as a process of its own."""
    return Backends(broker=rabbit.url, node=rabbit, engine="embedded")
