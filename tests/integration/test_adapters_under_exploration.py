"""The production adapters under exploration: the same bytes everywhere, nothing wrong with them, and bugs planted in them are found."""

import pytest

from scenarios.campaigns.simulation.explore import explore_part
from scenarios.campaigns.simulation.schedule import Schedule, Space
from scenarios.campaigns.simulation.shrink import look
from scenarios.campaigns.simulation.simulated import play, without_collector
from scenarios.campaigns.simulation.world import REAL
from scenarios.styles.index import STYLES
from tests.adapter_bugs import HTTP, RABBITMQ
from tests.logs import assert_the_same_in_every_process

SPACE = Space(styles=list(STYLES), faults=(0, 3), seed=3, adapters=REAL)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_every_process():
    assert_the_same_in_every_process(4, REAL)


@pytest.mark.parametrize("style", list(STYLES))
def test_a_calm_run_confirms_its_orders(style):
    schedule = Schedule(style=style, orders=3, adapters=REAL)
    assert look(schedule) is None
    assert play(schedule).ended.verdict.counts()["committed"] == 3


QUICK = 100


def test_nothing_is_wrong_in_some_schedules():
    found = explore_part(SPACE, 0, 6, collect=True)
    assert (found.runs, found.kinds) == (6, {})


@pytest.mark.long
@pytest.mark.timeout(300)
def test_nothing_is_wrong_in_many_schedules():
    found = explore_part(SPACE, 6, 300, collect=True)
    assert (found.runs, found.kinds) == (300, {})


def _planted(bugs, style):
    """Those that take many schedules are left to make long."""
    for name, bug in bugs.items():
        mark = pytest.mark.long if bug.within > QUICK else pytest.mark.slow
        yield pytest.param(bug, style, id=name, marks=mark)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("bug", "style"),
    [*_planted(RABBITMQ, "choreography"), *_planted(HTTP, "orchestration")],
)
def test_a_bug_in_an_adapter_is_found_within_its_number_of_schedules(bug, style):
    space = Space(
        styles=[style], faults=(0, 3), seed=1, variants=["inventory-first"], adapters=REAL
    )
    with bug.planted(), without_collector():
        assert any(look(space.schedule(number)) for number in range(bug.within))
