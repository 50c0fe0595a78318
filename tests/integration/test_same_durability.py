"""The same durability in both styles: read from the databases and queues themselves, not from what was asked for."""

import sqlite3
from contextlib import AsyncExitStack

import pytest

from kernel import database
from kernel.clock import SystemClock
from kernel.database import SYNCHRONOUS
from scenarios.faults.plan import FaultPlan
from scenarios.faults.planned import PlannedFaults
from scenarios.runs.environment import Backends, RunEnvironment
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA
from tests.samples import FAST, environment

LEVEL = {"NORMAL": 1, "FULL": 2}


@pytest.mark.parametrize("durability", SYNCHRONOUS)
async def test_every_database_of_both_styles_has_the_same_level(tmp_path, monkeypatch, durability):
    """Participants, embedded broker and engine: one file each, one level for all."""
    seen = {}
    connect = sqlite3.connect

    def watched(path, *arguments, **more):
        connection = connect(path, *arguments, **more)
        if "mode=ro" not in str(path):
            seen[str(path)] = connection
        return connection

    monkeypatch.setattr(database.sqlite3, "connect", watched)
    levels = {}
    for name, style in STYLES.items():
        folder = tmp_path / name
        folder.mkdir()
        seen.clear()
        async with AsyncExitStack() as stack:
            faults = PlannedFaults(
                FaultPlan(), [], saga=SAGA, seed=1, policy=FAST, clock=SystemClock()
            )
            core = environment(durability=durability, faults=faults)
            opening = RunEnvironment.open(
                folder, core, run_id="x", backends=Backends(), faults=faults
            )
            setting = await stack.enter_async_context(opening)
            await stack.enter_async_context(style.open(setting))
            levels[name] = {
                path.rpartition("/")[2]: connection.execute("PRAGMA synchronous").fetchone()[0]
                for path, connection in seen.items()
            }
    participants = {"order.sqlite", "inventory.sqlite", "payment.sqlite", "shipping.sqlite"}
    assert levels["choreography"].keys() == participants | {"broker.sqlite"}
    assert levels["orchestration"].keys() == participants | {"history.sqlite"}
    found = {level for of in levels.values() for level in of.values()}
    assert found == {LEVEL[SYNCHRONOUS[durability]]}
