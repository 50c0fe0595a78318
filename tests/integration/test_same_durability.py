"""The same durability in both styles: read from the databases and queues themselves, not from what was asked for."""

import sqlite3
from contextlib import AsyncExitStack

import pytest

from scenarios.fault_plan import FaultPlan
from scenarios.planned_faults import PlannedFaults
from scenarios.setting import Backends, Setting
from scenarios.systems import STYLES
from shared_domain import database
from shared_domain.clock import SystemClock
from shared_domain.database import SYNCHRONOUS
from shared_domain.guards import Guards
from shared_domain.tracing import NoTracer
from tests.samples import FAST

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
    for style, assemble in STYLES.items():
        folder = tmp_path / style
        folder.mkdir()
        seen.clear()
        async with AsyncExitStack() as stack:
            opening = Setting.open(
                folder, run_id="x", backends=Backends(), step_order="inventory-first",
                durability=durability, policy=FAST, guards=Guards.all(),
                faults=PlannedFaults(FaultPlan(), [], seed=1, policy=FAST, clock=SystemClock()),
                tracer=NoTracer(), clock=SystemClock(),
            )  # fmt: skip
            setting = await stack.enter_async_context(opening)
            await stack.enter_async_context(assemble(setting))
            levels[style] = {
                path.rpartition("/")[2]: connection.execute("PRAGMA synchronous").fetchone()[0]
                for path, connection in seen.items()
            }
    participants = {"order.sqlite", "inventory.sqlite", "payment.sqlite", "shipping.sqlite"}
    assert levels["choreography"].keys() == participants | {"broker.sqlite"}
    assert levels["orchestration"].keys() == participants | {"history.sqlite"}
    found = {level for style in levels.values() for level in style.values()}
    assert found == {LEVEL[SYNCHRONOUS[durability]]}
