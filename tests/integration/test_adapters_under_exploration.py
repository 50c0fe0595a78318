"""The production adapters under exploration: the same bytes everywhere, nothing wrong with them, and bugs planted in them are found."""

import subprocess
import sys

import pytest

from scenarios.campaigns.simulation.explore import explore_part
from scenarios.campaigns.simulation.schedule import Schedule, Space
from scenarios.campaigns.simulation.shrink import look
from scenarios.campaigns.simulation.simulated import play, without_collector
from scenarios.campaigns.simulation.world import REAL
from scenarios.styles.index import STYLES
from tests.adapter_bugs import HTTP, RABBITMQ

SPACE = Space(styles=list(STYLES), faults=(0, 3), seed=3, adapters=REAL)

LOGS = """
import hashlib, sys
from scenarios.campaigns.simulation.schedule import Space
from scenarios.campaigns.simulation.simulated import log_bytes, play
kept = [object() for _ in range(int(sys.argv[2]))]  # objects lie elsewhere
space = Space(styles=["choreography", "orchestration"], faults=(0, 3), seed=3, adapters="real")
for number in range(int(sys.argv[1])):
    log = log_bytes(play(space.schedule(number)))
    print(number, len(log), hashlib.sha256(log).hexdigest())
"""


def _logs(hash_seed, runs):
    return subprocess.run(
        [sys.executable, "-c", LOGS, str(runs), hash_seed],
        env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_same_seed_gives_the_same_bytes_in_every_process():
    first = _logs("0", 4)
    assert first == _logs("4711", 4)
    assert len({line.split()[2] for line in first.splitlines()}) == 4


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
