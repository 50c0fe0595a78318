import json

import pytest

from kernel.clock import SystemClock
from kernel.errors import OutcomeUnknown, UsageError
from kernel.faults import Point
from scenarios.faults.plan import FaultPlan, Moment
from scenarios.faults.planned import PlannedFaults
from shared_domain.order.messages import ChargePayment
from shared_domain.order.saga import SAGA
from tests.samples import FAST, command, order

LINE = {"orders": "all", "operation": "ChargePayment", "moment": "participant.error"}


def _plan(*lines):
    return FaultPlan.from_json({"schema": 1, "faults": list(lines)})


def _faults(plan, n=100, seed=1):
    ids = [f"o{i}" for i in range(n)]
    return PlannedFaults(plan, ids, saga=SAGA, seed=seed, policy=FAST, clock=SystemClock())


def test_a_plan_reads_as_it_is_written():
    plan = _plan(LINE | {"attempts": [1, 2], "for_s": 2.5}, LINE | {"orders": {"every": 4}})
    assert FaultPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"schema": 2, "faults": []},
        {"schema": 1},
        {"schema": 1, "faults": ["x"]},
        *(
            {"schema": 1, "faults": [LINE | wrong]}
            for wrong in (
                {"moment": "sometime"},
                {"operation": "Steal"},
                {"operation": ["ChargePayment"]},
                {"moment": ["participant.error"]},
                {"orders": -1},
                {"orders": [-1]},
                {"orders": {"every": 0}},
                {"orders": {"share": 2}},
                {"orders": {"every": 2, "share": 0.5}},
                {"attempts": [0]},
                {"attempts": "some"},
                {"for_s": "long"},
                {"for_s": -1},
                {"color": "red"},
            )
        ),
    ],
)
def test_a_malformed_plan_is_refused(document):
    with pytest.raises(UsageError):
        FaultPlan.from_json(document).check(SAGA)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"operation": "Seat"}, "operation 'Seat' is no command of the saga order"),
        (
            {"operation": "ConfirmOrder", "moment": "business.refused"},
            "no business reason to refuse",
        ),
    ],
)
def test_a_plan_for_another_saga_is_refused_with_the_fault(line, reason):
    with pytest.raises(UsageError, match=r"faults\[1\] of the plan") as refused:
        _plan(LINE, LINE | line).check(SAGA)
    assert reason in str(refused.value)


def test_a_share_strikes_the_same_orders_for_the_same_seed_and_others_for_another():
    fault = _plan(LINE | {"orders": {"share": 0.3}}).faults[0]
    struck = [[i for i in range(1000) if fault.strikes_order(i, seed=seed)] for seed in (1, 1, 2)]
    assert struck[0] == struck[1] != struck[2]
    assert 230 < len(struck[0]) < 370


async def test_a_fault_strikes_its_order_its_operation_and_its_attempt_only():
    faults = _faults(_plan(LINE | {"orders": [3], "attempts": [2]}))
    right, wrong = (command(ChargePayment, order(i)) for i in ("o3", "o4"))
    for charge in (right, wrong):
        faults.arrive(charge)
        await faults.reach(Point.BEFORE_COMMIT, charge)
        faults.arrive(charge)
    await faults.reach(Point.BEFORE_COMMIT, wrong)
    with pytest.raises(OutcomeUnknown):
        await faults.reach(Point.BEFORE_COMMIT, right)
    (injection,) = faults.injections()
    assert (injection.order_id, injection.attempt, injection.struck) == ("o3", 2, True)


def test_a_fault_whose_moment_never_came_is_listed_as_not_reached():
    (injection,) = _faults(_plan(LINE | {"orders": [7]})).injections()
    assert (injection.moment, injection.reached, injection.struck) == (Moment.ERROR, False, False)


async def test_a_line_of_the_plan_that_struck_nothing_is_named_even_beside_one_that_did():
    faults = _faults(_plan(LINE, LINE | {"orders": [500]}, LINE | {"orders": []}))
    charge = command(ChargePayment, order("o3"))
    faults.arrive(charge)
    with pytest.raises(OutcomeUnknown):
        await faults.reach(Point.BEFORE_COMMIT, charge)
    assert [line.rpartition("(")[2] for line in faults.never_struck("choreography")] == [
        "fault 1 of the plan)",
        "fault 2 of the plan)",
    ]
