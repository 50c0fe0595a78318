"""Each rule of the judge on the rows that docs/oracle.md shows for it."""

import pytest

from scenarios.judge.rules import MEANING, Rule
from scenarios.judge.verdict import Judgement
from shared_domain.order.counter_examples import EXAMPLES, WENT_WELL, CounterExample
from shared_domain.order.example_rows import judged


def _broken(verdict):
    rules = {rule for order in verdict.orders for rule in order.rules}
    return rules | {law.law for law in verdict.laws if not law.held}


def test_every_rule_has_a_meaning_and_a_counter_example():
    assert [example.rule for example in EXAMPLES] == list(Rule)
    assert list(MEANING) == list(Rule)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.rule)
def test_a_counter_example_breaks_its_rule_and_its_witnesses_are_its_rows(example):
    verdict = judged(example)
    assert verdict.judgement is Judgement.INCONSISTENT
    assert example.rule in _broken(verdict)
    order, laws = verdict.orders[0], {law.law: law for law in verdict.laws}
    if example.rule in order.rules:
        assert order.why
        assert {w["operation"] for w in order.witnesses} <= {row[1] for row in example.rows}
        assert MEANING[example.rule].breaks in (f"order: {order.order_class}", "order: lied")
    else:
        assert laws[example.rule].why
        assert laws[example.rule].witnesses
        assert MEANING[example.rule].breaks == "run"


def test_rows_of_a_saga_that_went_well_break_no_rule():
    clean = CounterExample(rule=Rule.ONCE, description="", rows=WENT_WELL, status="CONFIRMED")
    verdict = judged(clean)
    assert (verdict.judgement, _broken(verdict)) == (Judgement.CONSISTENT, set())
