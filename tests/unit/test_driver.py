"""When a run is over: settled and nothing held back, or given up; what comes again after that changes nothing."""

from itertools import chain, repeat

import pytest

from kernel.ports import Settlement
from kernel.tracing import NoTracer
from scenarios.catalog.index import scenarios_of
from scenarios.runs.driver import Driver
from scenarios.runs.environment import Backends
from scenarios.runs.spec import RunSpec
from shared_domain.order.saga import SAGA


class Clock:
    """A second passes whenever somebody waits."""

    now_s = 100.0

    def mono_s(self):
        return self.now_s

    def wall_s(self):
        return self.now_s

    async def sleep(self, seconds):
        self.now_s += max(1.0, seconds)


class Quiet:
    """A system that always has settled."""

    async def settle(self, ids, *, deadline_s):
        return Settlement(how="quiescent", waited_s=0.0)


class Held:
    """A record that says something else at every look."""

    def __init__(self, looks):
        self._looks, self.times_mono_s = looks, {}

    @property
    def in_flight(self):
        return next(self._looks)


@pytest.mark.parametrize(
    ("in_flight", "failures"),
    [
        (chain([0], repeat(1)), []),
        (chain([1, 1, 0], repeat(1)), []),
        (repeat(2), ["2 requests were still held back at the end"]),
    ],
    ids=["one that comes again after the end", "held for a while", "held for ever"],
)
async def test_only_what_is_held_back_when_a_run_is_given_up_is_a_failure(in_flight, failures):
    spec = RunSpec(
        saga=SAGA, variant=SAGA.variant, scenario=scenarios_of(SAGA)["happy_path"], style="choreography",
        orders=1, seed=1, backends=Backends(), rate_per_s=1, time_scale=1,
    )  # fmt: skip
    held = Held(in_flight)
    driver = Driver(spec, clock=Clock(), tracer=NoTracer())
    await driver.settle(Quiet(), lambda: [held])
    assert driver.failures == failures
