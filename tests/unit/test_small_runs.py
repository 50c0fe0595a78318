"""What becomes of the outcomes of many small runs: nothing that failed may pass for nothing wrong."""

from dataclasses import replace

import pytest

from report.sweep_tables import bad_cells, summary
from scenarios.campaigns import sweep as sweeping
from scenarios.campaigns.ablation import damage_of
from scenarios.campaigns.outcome import Outcome
from scenarios.campaigns.sweep import NOT_STRUCK, Sweep, result_of
from scenarios.catalog.index import scenarios_of
from scenarios.faults.plan import Moment
from scenarios.faults.space import ONCE, Cell, Strike
from scenarios.judge.predictions import confirm, predictions
from scenarios.judge.verdict import Exit, Judgement
from shared_domain.order.saga import SAGA
from testbed.commands.sweep import exit_code

CELL = Cell(
    saga=SAGA,
    style="choreography",
    strikes=(Strike(operation="ChargePayment", when=ONCE, moment=Moment.REQUEST_LOST),),
)
GOOD = Outcome(
    key=CELL.key, judgement=Judgement.CONSISTENT, as_expected=True, classes={"committed": 2},
    orders=[["committed", False, []], ["committed", False, []]], laws=[], problems=[], failures=[],
    faults=[[1, 1, 1]], operations=["ChargePayment"], replay="saga run ...",
)  # fmt: skip
FAILED = replace(
    GOOD, judgement=Judgement.UNKNOWN, classes={}, orders=[], faults=[[0, 0, 0]], operations=[],
    problems=["the run did not end within 600 s"], failures=["the run did not end within 600 s"],
)  # fmt: skip
IDLE = replace(
    GOOD, judgement=Judgement.UNKNOWN, faults=[[0, 0, 0]],
    problems=["no request.lost at ChargePayment ever struck (fault 0 of the plan)"],
)  # fmt: skip
DOUBLE = replace(
    GOOD, judgement=Judgement.INCONSISTENT, classes={"duplicated": 1, "half-done": 1},
    orders=[
        ["half-done", False, ["a confirmed order has all its effects"]],
        ["duplicated", False, ["every effect is applied once"]],
    ],
    laws=["money is conserved"],
)  # fmt: skip
SETTINGS = Sweep(
    depth=1, sample=0, styles=["choreography"], guards="all", broker="memory", engine="inprocess",
    orders=2, seed=1, rate_per_s=100, time_scale=0.05, variant="inventory-first",
)  # fmt: skip


def _result(outcome):
    return result_of(CELL, outcome, variant="inventory-first")


def test_a_run_that_failed_is_unknown_and_says_why_and_is_no_pass():
    result = _result(FAILED)
    assert (result.worst, result.unexpected) == ("unknown", True)
    assert "did not end" in result.why
    assert exit_code(SETTINGS, [result]) is Exit.UNKNOWN
    assert bad_cells([result]) == [result]


def test_a_fault_without_occasion_is_told_apart_from_a_failure():
    result = _result(IDLE)
    assert result.worst == NOT_STRUCK
    assert "found no occasion" in result.why


def test_what_is_unknown_or_never_struck_is_not_among_those_that_are_well():
    told = summary([_result(outcome) for outcome in (GOOD, FAILED, IDLE)])
    assert "0 of 1 " in told
    assert "2 unknown or never injected" in told


def test_the_reason_of_a_cell_begins_with_the_rule_of_its_worst_class():
    assert _result(DOUBLE).why.startswith("every effect is applied once")


def test_a_cell_that_said_nothing_is_run_again_and_the_newer_line_counts(tmp_path, monkeypatch):
    outcomes = iter([FAILED, GOOD])

    def ran(jobs, *, done, **more):
        for _ in jobs:
            done(next(outcomes))

    monkeypatch.setattr(sweeping, "run_jobs", ran)
    for _ in range(3):
        sweeping.run_sweep(SETTINGS, [CELL], tmp_path, done=lambda result: None)
    (result,) = sweeping.results(tmp_path)
    assert result.worst == "committed"


def test_no_password_is_left_in_a_sweeps_folder(tmp_path):
    sweep = replace(SETTINGS, broker="amqp://ada:secret@host:5672/")
    sweeping.begin(tmp_path, sweep)
    sweeping.begin(tmp_path, sweep)
    assert "secret" not in (tmp_path / sweeping.SETTINGS).read_text()


@pytest.mark.parametrize(
    ("scenario", "outcome", "damage"),
    [
        ("happy_path", GOOD, ("", 0)),
        ("happy_path", DOUBLE, ("duplicated", 1)),
        ("last_item", GOOD, ("otherwise than told", 0)),
        ("happy_path", replace(GOOD, laws=["money is conserved"]), ("broken law", 0)),
    ],
)
def test_damage_is_the_worst_that_a_scenario_does_not_expect(scenario, outcome, damage):
    assert damage_of(scenarios_of(SAGA)[scenario], outcome) == damage


def test_a_lesser_damage_than_the_predicted_one_contradicts_the_theory():
    inbox = next(p for p in predictions(SAGA) if p.guard == "inbox")
    strike = Strike(operation="ChargePayment", when=ONCE, moment=inbox.moments[0])
    cell = Cell(saga=SAGA, style="choreography", strikes=(strike,))
    worse = result_of(cell, DOUBLE, variant="inventory-first")
    lesser = result_of(cell, replace(GOOD, laws=["x"]), variant="inventory-first")
    assert confirm(SAGA, "-inbox", [worse]).contradicted == []
    assert len(confirm(SAGA, "-inbox", [lesser]).contradicted) == 1
