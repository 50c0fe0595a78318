"""Intervals over trials: they hold the truth as often as they say, and are withheld where they cannot."""

import numpy as np
import pytest

from bench.intervals import Estimate, clustered, ratio, slope
from report.benchmark.section import quantile_ms


@pytest.mark.parametrize("trials", [3, 5])
def test_an_interval_over_trials_holds_the_truth_about_as_often_as_it_says(trials):
    chance, held = np.random.default_rng(7), 0
    for _ in range(100):
        # Sagas of one trial have their trial's luck in common: they are no independent observations.
        luck = chance.normal(0, 0.2, size=trials)
        samples = [chance.normal(1 + shift, 0.1, size=20) for shift in luck]
        found = clustered(lambda drawn: float(np.mean(np.concatenate(drawn))), samples)
        held += found.holds(1.0)
    assert 0.88 <= held / 100 <= 1.0


def test_sagas_of_one_trial_are_not_taken_for_independent():
    samples = [np.full(1000, 1.0), np.full(1000, 2.0), np.full(1000, 3.0)]
    found = clustered(lambda drawn: float(np.mean(np.concatenate(drawn))), samples)
    assert found.low is not None
    assert found.high - found.low > 1  # of 3,000 independent ones it would be 0.06


def test_of_two_trials_there_is_no_interval():
    found = ratio([(2.0, 1.0), (4.0, 1.0)])
    assert (found.low, found.high) == (None, None)
    assert found.told() == "2.83 (no interval)"


def test_a_ratio_is_taken_round_by_round():
    found = ratio([(2.0, 1.0), (20.0, 10.0), (200.0, 100.0)])
    assert (found.value, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0))


def test_a_slope_tells_flat_from_proportional():
    rounds = range(4)
    flat = slope([(r, x, 3.0) for r in rounds for x in (1, 10, 100)], logs=True)
    grows = slope([(r, x, 3.0 * x) for r in rounds for x in (1, 10, 100)], logs=True)
    line = slope([(r, x, 5 + 0.25 * x) for r in rounds for x in (1, 10, 100)], logs=False)
    assert (flat.value, grows.value, line.value) == pytest.approx((0, 1, 0.25))


def test_the_noise_of_identical_arms_is_the_largest_difference_that_they_allow():
    assert Estimate(1.1, 0.7, 1.6).noise() == pytest.approx(0.6)
    assert Estimate(0.9, 0.5, 1.2).noise() == pytest.approx(0.5)


def test_intervals_meet_or_do_not():
    assert Estimate(1, 0.5, 1.5).agrees(Estimate(1.6, 1.4, 1.8))
    assert not Estimate(1, 0.5, 1.5).agrees(Estimate(1.9, 1.6, 2.2))
    assert not Estimate(1).agrees(Estimate(1, 0.5, 1.5))


@pytest.mark.parametrize(("n", "is_told"), [(367, False), (368, True)])
def test_a_p99_of_too_few_sagas_is_not_told(n, is_told):
    rounds = {number: {"latency_s": [0.01] * part} for number, part in enumerate((n - 200, 100, 100))}  # fmt: skip
    assert (quantile_ms(rounds, "latency_s", 0.99) is not None) is is_told
    assert quantile_ms(rounds, "latency_s", 0.5) is not None
    assert quantile_ms(rounds, "latency_s", 0.999) is None
