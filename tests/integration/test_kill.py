"""kill -9 of the broker's node and of the engine's process in the middle of a run loses nothing."""

import pytest

from scenarios.judge.verdict import Judgement
from scenarios.runs.environment import Backends
from scenarios.runs.folder import read_lines

pytestmark = [pytest.mark.timeout(180)]


def _assert_nothing_lost(result, orders):
    verdict = result.verdict
    assert verdict.judgement is Judgement.CONSISTENT, verdict.problems
    assert {o.order_class for o in verdict.orders} <= {"committed", "compensated"}
    assert len(verdict.orders) == orders
    assert all(row["accepted_mono_s"] for row in read_lines(result.folder / "orders.jsonl"))
    (kill,) = read_lines(result.folder / "faults.jsonl")
    assert kill["struck"]
    assert kill["changed"], "the kill found nothing in flight"


@pytest.mark.slow
@pytest.mark.parametrize("style", ["choreography", "orchestration"])
async def test_nothing_is_lost_when_the_coordinator_is_killed_in_the_middle(
    run_scenario, real_pair, style
):
    # RabbitMQ may take ten seconds to start where other tests run: far from the saga deadline of 30.
    result = await run_scenario(
        "coordinator_killed", style, backends=real_pair, orders=60, time_scale=0.5
    )
    _assert_nothing_lost(result, 60)


@pytest.mark.alone
@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(0, marks=pytest.mark.slow),
        pytest.param(1, marks=pytest.mark.long),
        pytest.param(2, marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("style", ["choreography", "orchestration"])
async def test_nothing_of_two_hundred_orders_is_lost(run_scenario, real_pair, style, seed):
    result = await run_scenario(
        "coordinator_killed", style, backends=real_pair, orders=200, seed=seed, rate_per_s=50
    )
    _assert_nothing_lost(result, 200)


@pytest.mark.slow
async def test_a_broker_that_cannot_be_killed_from_here_makes_the_run_unknown(run_scenario, rabbit):

    remote = Backends(broker=rabbit.url, node=None, engine="embedded")
    result = await run_scenario("coordinator_killed", "choreography", backends=remote)
    assert result.verdict.judgement is Judgement.UNKNOWN
    assert "cannot be killed or frozen from here" in " ".join(result.verdict.problems)
