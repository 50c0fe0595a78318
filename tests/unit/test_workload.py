"""Service times, demand and arrivals: as told, and the same for every style."""

from collections import Counter

import numpy as np
import pytest

from kernel.errors import UsageError
from scenarios.catalog.index import scenarios_of
from scenarios.runs.arrivals import offsets_s
from scenarios.runs.workload import ServiceTimes, zipf_item, zipf_shares
from shared_domain.order.saga import SAGA

SLOW_CARDS = ServiceTimes.parse("payment=lognormal:80:800")


def test_the_drawn_times_have_the_median_and_the_tail_that_were_asked_for():
    drawn = np.array([SLOW_CARDS.drawn_s("payment", 1, f"o{n}", "x", 1) for n in range(20_000)])
    assert np.quantile(drawn, 0.5) == pytest.approx(0.08, rel=0.05)
    assert np.quantile(drawn, 0.99) == pytest.approx(0.8, rel=0.1)


def test_a_call_takes_the_same_time_whoever_asks_and_another_one_another_time():
    address = (1, "o1", "ChargePayment")
    assert SLOW_CARDS.drawn_s("payment", *address, 1) == SLOW_CARDS.drawn_s("payment", *address, 1)
    assert SLOW_CARDS.drawn_s("payment", *address, 1) != SLOW_CARDS.drawn_s("payment", *address, 2)
    assert SLOW_CARDS.drawn_s("shipping", *address, 1) == 0.0


@pytest.mark.parametrize(
    "text", ["none", "payment=lognormal:80:800", "order=constant:2,payment=lognormal:80:800.5"]
)
def test_service_times_are_told_as_they_are_read(text):
    assert str(ServiceTimes.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["payment", "payment=5", "payment=constant:-1", "payment=lognormal:80:8", "payment=lognormal:0:8", "payment=constant:nan", ""],
)  # fmt: skip
def test_service_times_that_make_no_sense_are_refused(text):
    with pytest.raises(UsageError, match="give none, or SERVICE=constant:MS"):
        ServiceTimes.parse(text)


def test_service_times_of_a_service_that_the_saga_does_not_have_are_refused():
    with pytest.raises(UsageError, match="'bank': services are order, inventory"):
        ServiceTimes.parse("bank=constant:5").check(SAGA.services)


def test_demand_follows_zipf():
    shares = zipf_shares(items=50, exponent=1.1)
    item = zipf_item(shares, "x")
    counted = Counter(item(index) for index in range(20_000))
    assert counted["item-0"] / 20_000 == pytest.approx(shares[0], rel=0.1)
    assert counted["item-0"] > counted["item-1"] > counted["item-9"] > 0


def test_the_base_mix_has_the_shares_of_refusals_that_it_names():
    plan = scenarios_of(SAGA)["base_mix"].faults(10_000)
    assert {f.operation: len(f.orders) for f in plan.faults} == {"ChargePayment": 200, "BookShipment": 50}  # fmt: skip
    assert (
        scenarios_of(SAGA)["base_mix"].faults(10).faults == ()
    )  # a plan that strikes nobody says nothing


def test_constant_arrivals_have_constant_gaps():
    assert offsets_s("constant", 4, rate_per_s=20, seed=1) == [0.05, 0.1, 0.15, 0.2]
