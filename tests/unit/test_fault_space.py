"""The space of faults is complete, and says of every cell why it cannot be run or what it must come to."""

from collections import Counter

from scenarios.faults.plan import DISTURBANCES, ONLY_IN_TRACES, FaultPlan, Moment
from scenarios.faults.space import (
    ALWAYS,
    ONCE,
    Cell,
    Strike,
    combinations,
    sampled,
    singles,
    strikes,
)
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA

CELLS = singles(SAGA, list(STYLES))


def test_every_operation_meets_every_moment_in_every_style():
    first = {(c.style, s.operation, s.moment) for c in CELLS for s in c.strikes if s.when == ONCE}
    assert first == {
        (t, o, m) for t in STYLES for o in SAGA.operations for m in set(Moment) - ONLY_IN_TRACES
    }
    assert len({cell.key for cell in CELLS}) == len(CELLS)


def test_what_cannot_be_run_says_why():
    why = Counter(cell.not_run().partition(":")[0] for cell in CELLS)
    assert set(why) == {"", "not applicable", "no counterpart"}
    assert why["not applicable"] == 2 * 5
    assert why["no counterpart"] == 2 * len(SAGA.operations)


def test_a_cell_is_a_plan_that_can_be_read_again():
    for cell in (cell for cell in CELLS if not cell.not_run()):
        plan = cell.plan()
        assert FaultPlan.from_json(plan.to_json()) == plan
        assert plan.faults[-1].operation == cell.strikes[0].operation


def test_a_compensation_is_reached_by_a_failure_before_it():
    for cell in CELLS:
        undone = cell.strikes[0].operation in SAGA.undo
        assert bool(cell.way()) is undone


def test_only_a_broken_promise_may_come_to_anything_inconsistent():
    expected = {
        (cell.style, cell.strikes[0].operation): cell.expected("inventory-first")
        for cell in CELLS
        if cell.expected("inventory-first")
    }
    assert len(expected) == 2 * len(SAGA.operations)
    assert expected["choreography", "ReserveStock"] == "broken law"
    assert expected["orchestration", "ReserveStock"] == "stuck"


def test_pairs_can_meet_in_one_saga():
    pairs = list(combinations(SAGA, 2))
    assert len(pairs) > 20_000
    for first, second in pairs:
        operations = {first.operation, second.operation}
        assert not ("ConfirmOrder" in operations and operations & set(SAGA.undo))


def test_a_sample_is_the_same_for_the_same_seed_and_in_every_style():
    one, same, other = (sampled(SAGA, 3, sample=20, seed=s, styles=list(STYLES)) for s in (1, 1, 2))
    assert one == same != other
    assert [c.strikes for c in one[::2]] == [c.strikes for c in one[1::2]]


def test_what_disturbs_everybody_is_told_apart():
    killed = Strike(operation="ReserveStock", when=ONCE, moment=Moment.COORDINATOR_KILLED)
    slow = Strike(operation="ReserveStock", when=ALWAYS, moment=Moment.SLOW)
    assert killed.moment in DISTURBANCES
    assert Cell(saga=SAGA, style="choreography", strikes=(slow, killed)).disturbs()
    assert not Cell(saga=SAGA, style="choreography", strikes=(slow,)).disturbs()


def test_there_is_a_cell_for_every_strike():
    assert len(CELLS) == len(STYLES) * len(strikes(SAGA))
