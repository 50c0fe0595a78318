import pytest

from bench.latency import proportion, quantile
from scenarios.runs.arrivals import offsets_s


def test_none_of_n_is_told_as_a_bound_and_never_as_zero():
    assert str(proportion(0, 300)) == "0 of 300 (at most 1.0 %)"
    assert str(proportion(0, 0)) == "none"
    assert proportion(0, 300).interval() == "at most 1.0 % at 95 % confidence"


def test_k_of_n_has_its_exact_interval():
    found = proportion(12, 50)
    assert (found.low_ratio, found.high_ratio) == pytest.approx((0.1306, 0.3817), abs=1e-3)
    assert str(found) == "12 of 50 (13-38 %)"


def test_a_quantile_of_nothing_is_nothing():
    assert quantile([], 0.5) is None
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0


def test_customers_come_at_the_same_times_for_the_same_seed():
    first, second = (offsets_s("poisson", 500, rate_per_s=50, seed=7) for _ in range(2))
    assert first == second == sorted(first)
    assert 7 < first[-1] < 13
