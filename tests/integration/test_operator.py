"""What is parked can be seen, sent on and given up, in a finished run and in a living one, without double effects."""

import asyncio
from collections import Counter

import pytest

from kernel.errors import UsageError
from scenarios.faults.plan import FaultPlan
from scenarios.judge.verdict import Judgement
from scenarios.runs.control_socket import DistantOperator
from scenarios.runs.environment import Backends
from scenarios.runs.folder import read_json, read_lines
from scenarios.runs.repair import repair
from scenarios.runs.runner import run
from scenarios.runs.saved_state import STATE
from scenarios.runs.scenario import Scenario
from scenarios.runs.spec import RunSpec
from shared_domain.order.saga import SAGA

pytestmark = [pytest.mark.timeout(120)]
styles = pytest.mark.parametrize("style", ["choreography", "orchestration"])


@pytest.fixture(params=["embedded", "real"])
def backends(request):
    return Backends() if request.param == "embedded" else request.getfixturevalue("real_pair")


def _effects(folder):
    """(order, operation) -> how often it was done or undone."""
    rows = [r for r in read_lines(folder / "ledgers.jsonl") if r["table"] == "ledger"]
    return Counter(
        (r["order_id"], r["operation"]) for r in rows if r["effect"] in ("done", "undone")
    )


def _parked(folder):
    return read_lines(folder / "evidence/parked.jsonl")


@pytest.mark.slow
@styles
async def test_a_finished_run_is_repaired_saga_by_saga(run_scenario, backends, style):
    folder = (
        await run_scenario("refund_fails_forever", style, backends=backends, least_time_scale=0.1)
    ).folder
    first, *others = _parked(folder)
    assert len(others) == 2
    before = _effects(folder)

    sagas, verdict = await repair(
        folder, backends, action="redrive", parked_ids=[first["parked_id"]]
    )
    assert [saga.order_id for saga in sagas] == [first["order_id"]]
    assert (verdict.judgement, verdict.as_expected) == (Judgement.CONSISTENT, True)
    assert [row["parked_id"] for row in _parked(folder)] == [row["parked_id"] for row in others]

    ids = [row["parked_id"] for row in others]
    _, verdict = await repair(folder, backends, action="redrive", parked_ids=ids)
    assert (verdict.judgement, verdict.as_expected) == (Judgement.CONSISTENT, True)
    assert verdict.counts()["compensated"] == 3
    assert verdict.counts()["parked"] == 0
    after = _effects(folder)
    assert max(after.values()) == 1, "an effect happened twice"
    added = {operation for order_id, operation in (after - before)}
    assert added == {"RefundPayment", "ReleaseStock", "CancelOrder"}
    assert not (folder / STATE).exists()
    acts = read_lines(folder / "evidence/operator.jsonl")
    assert [act["action"] for act in acts] == ["redrive"] * 3
    with pytest.raises(UsageError, match="nothing parked"):
        await repair(folder, backends, action="redrive", parked_ids=ids)


@pytest.mark.slow
async def test_what_ran_over_rabbitmq_is_repaired_over_the_embedded_broker(run_scenario, real_pair):
    folder = (
        await run_scenario(
            "refund_fails_forever", "choreography", backends=real_pair, least_time_scale=0.1
        )
    ).folder
    ids = [row["parked_id"] for row in _parked(folder)]
    _, verdict = await repair(folder, Backends(), action="redrive", parked_ids=ids)
    assert (verdict.judgement, verdict.counts()["compensated"]) == (Judgement.CONSISTENT, 3)


@pytest.mark.slow
async def test_a_discarded_letter_leaves_its_saga_stuck_and_the_verdict_says_so(run_scenario):
    folder = (await run_scenario("refund_fails_forever", "choreography")).folder
    first, *_ = _parked(folder)
    _, verdict = await repair(folder, Backends(), action="discard", parked_ids=[first["parked_id"]])
    assert verdict.judgement is Judgement.INCONSISTENT
    assert verdict.counts()["stuck"] == 1
    assert len(_parked(folder)) == 2


def _living(style, backends, tmp_path, *, hold_s, failing_attempts):
    """A run whose first order's refund fails this often, and which then waits for an operator."""
    faults = [
        {"orders": [0], "operation": "BookShipment", "moment": "business.refused"},
        {
            "orders": [0], "operation": "RefundPayment", "moment": "participant.error",
            "attempts": failing_attempts,
        },
    ]  # fmt: skip
    spec = RunSpec(
        saga=SAGA, variant=SAGA.variant,
        scenario=Scenario(name="repaired", expects=lambda i: frozenset({"committed", "parked"})),
        style=style, orders=3, seed=1, backends=backends, rate_per_s=100.0, time_scale=0.1,
        hold_s=hold_s, extra_plan=FaultPlan.from_json({"schema": 1, "faults": faults}),
    )  # fmt: skip
    return asyncio.create_task(run(spec, runs=tmp_path, facts={}))


async def _desk(tmp_path):
    """The desk of the only run in a folder, once something is parked there."""
    async with asyncio.timeout(30):
        while True:
            await asyncio.sleep(0.05)
            for about in tmp_path.glob("*/run.json"):
                if operator := read_json(about).get("operator"):
                    distant = DistantOperator(operator)
                    if parked := await distant.parked():
                        return about.parent, distant, parked


@pytest.mark.slow
@styles
async def test_a_living_run_is_repaired_from_another_terminal(tmp_path, backends, style):
    living = _living(style, backends, tmp_path, hold_s=30, failing_attempts=[1, 2, 3, 4])
    folder, distant, (saga,) = await _desk(tmp_path)
    assert (saga.order_id, saga.operation) == ("order-00000", "RefundPayment")
    assert (await distant.show(saga.parked_id))["parked_id"] == saga.parked_id
    (sent,) = await distant.redrive([saga.parked_id])
    assert sent.parked_id == saga.parked_id
    result = await living
    assert result.verdict.judgement is Judgement.CONSISTENT, result.verdict.problems
    assert result.verdict.counts()["compensated"] == 1
    assert max(_effects(folder).values()) == 1
    assert [a["action"] for a in read_lines(folder / "evidence/operator.jsonl")] == ["redrive"]


async def test_a_saga_whose_cause_is_not_repaired_parks_again(tmp_path):
    living = _living("choreography", Backends(), tmp_path, hold_s=3, failing_attempts="all")
    _, distant, (saga,) = await _desk(tmp_path)
    await distant.redrive([saga.parked_id])
    async with asyncio.timeout(10):
        while not (again := await distant.parked()):
            await asyncio.sleep(0.02)
    assert [s.order_id for s in again] == ["order-00000"]
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
