"""Clocks of hosts that differ: what causes tell of them, and times that are right all the same."""

import pytest

from scenarios.judge.clocks import ahead_s, bounds, differing, in_words
from scenarios.judge.exposure import timing
from scenarios.judge.oracle import Asked, gather
from scenarios.judge.rules import Rule
from shared_domain.order.counter_examples import ORDER, WENT_WELL, CounterExample
from shared_domain.order.example_rows import ledgers_of
from shared_domain.order.saga import SAGA


def _facts(**ahead):
    example = CounterExample(rule=Rule.ONCE, description="", rows=WENT_WELL, status="CONFIRMED")
    ledgers = ledgers_of(example)
    for name, seconds in ahead.items():
        for row in ledgers[name]["ledger"]:
            row["mono_s"] += seconds
    asked = Asked(order=ORDER, accepted=True, told=("PENDING", "CONFIRMED"), intended_mono_s=100)
    return gather(SAGA, [asked], ledgers)


def test_clocks_that_agree_are_not_said_to_differ():
    found = bounds(SAGA, _facts())
    assert differing(found) == {}
    assert in_words(found) == ""
    assert all(low <= 0 <= high for low, high in found.values())


@pytest.mark.parametrize("seconds", [50.0, -50.0])
def test_a_clock_that_is_wrong_by_more_than_a_message_takes_is_found_and_corrected(seconds):
    facts = _facts(payment=seconds)
    found = bounds(SAGA, facts)
    assert list(differing(found)) == ["payment"]
    low, high = found["payment"]
    assert low <= seconds <= high
    assert high - low == pytest.approx(4)  # from placing to confirming: four seconds there and back
    assert ahead_s(found)["payment"] == pytest.approx(seconds, abs=2)
    assert "payment is 50000.0 ms" in in_words(found)
    right = timing(_facts()[0], run_ended_mono_s=200, ahead_s={})
    wrong = timing(facts[0], run_ended_mono_s=200, ahead_s={})
    corrected = timing(facts[0], run_ended_mono_s=200, ahead_s=ahead_s(found))
    assert abs(wrong.money_exposure_s - right.money_exposure_s) == pytest.approx(50)
    assert corrected.money_exposure_s == pytest.approx(right.money_exposure_s, abs=2)
