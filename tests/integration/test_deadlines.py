"""A saga that waits too long: compensated or reported, and the race with a success that comes late."""

import asyncio
import secrets

import pytest

from choreography import memory_journal
from choreography.memory_broker import MemoryBroker
from choreography.system import ChoreographedSystem, topology
from kernel.database import Database
from kernel.guards import Guards
from kernel.participants import open_participants
from kernel.policy import OnDeadline, Policy
from orchestration.saga_definition import saga_definition
from scenarios.judge.verdict import Judgement
from scenarios.runs.environment import Backends
from scenarios.runs.folder import read_lines
from scenarios.runs.repair import repair
from tests.samples import environment, order

styles = pytest.mark.parametrize("style", ["choreography", "orchestration"])


@pytest.mark.slow
@styles
async def test_a_success_that_comes_after_the_compensation_changes_nothing(run_scenario, style):
    result = await run_scenario("late_success", style, orders=20)
    assert (result.verdict.judgement, result.verdict.as_expected) == (Judgement.CONSISTENT, True)


@pytest.mark.slow
@styles
async def test_without_tombstones_the_late_success_takes_effect(run_scenario, style):
    result = await run_scenario("late_success", style, orders=20, guards=Guards(tombstones=False))
    assert result.verdict.judgement is Judgement.INCONSISTENT
    late = [o for o in result.verdict.orders if o.order_class == "half-done"]
    assert [o.order_id for o in late] == [f"order-{n:05d}" for n in (4, 9, 14, 19)]


async def _without_inventory(tmp_path, on_deadline):
    """A choreography in which the order service alone is at work, so that every order waits."""
    around = environment(policy=Policy(time_scale=0.005, on_deadline=on_deadline))
    participants = open_participants(tmp_path, around)
    journal = Database.open(tmp_path / "broker.sqlite", schema=memory_journal.SCHEMA)
    queues = topology(prefix=secrets.token_hex(4), environment=around)
    async with (
        participants as opened,
        journal as database,
        MemoryBroker.open(database, queues, around.clock) as broker,
        ChoreographedSystem.open(
            participants=opened, services={"order": opened.by_name["order"]}, broker=broker,
            environment=around,
        ) as system,
    ):  # fmt: skip
        await system.start(order("o1"))
        yield system


@pytest.fixture
async def reporting(tmp_path):
    async for system in _without_inventory(tmp_path, OnDeadline.REPORT):
        yield system


@pytest.fixture
async def compensating(tmp_path):
    async for system in _without_inventory(tmp_path, OnDeadline.COMPENSATE):
        yield system


def _said(audit):
    return [row["routing_key"] for row in audit["audit"]]


async def test_an_overdue_saga_is_reported_left_alone_and_compensated_when_an_operator_says_so(
    reporting,
):
    async with asyncio.timeout(10):
        while not (parked := await reporting.parked()):
            await asyncio.sleep(0.02)
    (saga,) = parked
    assert (saga.order_id, saga.reported) == ("o1", True)
    assert "deadline" in saga.why
    await asyncio.sleep(0.3)
    assert "OrderExpired" not in _said(await reporting.evidence())
    assert await reporting.redrive([saga.parked_id]) == [saga]
    assert "OrderExpired" in _said(await reporting.evidence())


async def test_an_overdue_saga_is_compensated_without_anybody(compensating):
    async with asyncio.timeout(10):
        while "OrderExpired" not in _said(await compensating.evidence()):
            await asyncio.sleep(0.02)
    assert await compensating.parked() == []


async def test_a_state_machine_that_reports_times_out_as_a_whole():
    reporting = saga_definition(environment(policy=Policy(on_deadline=OnDeadline.REPORT)))
    assert reporting["TimeoutSeconds"] == Policy().saga_deadline_s
    assert "TimeoutSeconds" not in saga_definition(environment(policy=Policy()))


@pytest.mark.slow
async def test_a_reported_execution_waits_for_an_operator_and_ends_when_redriven(run_scenario):
    """Three steps that hang three times each: no budget is spent, but the saga's deadline passes."""
    hangs = [
        {"orders": [1], "operation": op, "moment": "participant.hang", "attempts": [1, 2, 3]}
        for op in ("ReserveStock", "ChargePayment", "BookShipment")
    ]
    result = await run_scenario(
        "happy_path", "orchestration", orders=3, faults=hangs, rules=Policy(on_deadline="report"),
        expects=lambda i: frozenset({"parked"} if i == 1 else {"committed"}),
    )  # fmt: skip
    assert (result.verdict.judgement, result.verdict.as_expected) == (Judgement.CONSISTENT, True)
    (saga,) = read_lines(result.folder / "evidence/parked.jsonl")
    assert (saga["order_id"], saga["reported"]) == ("order-00001", True)
    assert saga["why"] == "TIMED_OUT: open past the saga deadline"
    _, verdict = await repair(
        result.folder, Backends(), action="redrive", parked_ids=[saga["parked_id"]]
    )
    assert (verdict.judgement, verdict.counts()["parked"]) == (Judgement.CONSISTENT, 0)
    assert verdict.counts()["committed"] == 3
