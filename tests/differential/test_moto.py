"""The embedded engine beside moto, which embeds LocalStack's interpreter: the same definitions, the same answers."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from orchestration.engine.definition import diagnose
from tests.differential.definitions import CASES
from tests.differential.differences import DIFFERENCES, OURS
from tests.differential.peers import embedded, moto, told
from tests.differential.random_machines import DOCUMENTS, machines

AT_ONCE = 6
SAMPLE = [case for position, case in enumerate(CASES) if position % 8 == 0]


@pytest.fixture(scope="module")
async def engines(tmp_path_factory):
    """A call to the embedded engine, and one to moto."""
    async with (
        embedded(tmp_path_factory.mktemp("embedded")) as ours,
        moto(tmp_path_factory.mktemp("moto")) as theirs,
    ):
        yield ours, theirs


async def _both(engines, name, definition, document):
    return [await told(call, name, definition, document) for call in engines]


async def _compared(engines, cases):
    """Name of a case -> (ours, theirs), several at a time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number, case):
        async with slots:
            name = f"m{number}-{len(cases)}"
            ours, theirs = await _both(engines, name, case.definition, case.document)
        return case.name, (ours, theirs) if case.ordered else (ours.unordered(), theirs.unordered())

    return dict(await asyncio.gather(*(one(*numbered) for numbered in enumerate(cases))))


def _check(found):
    unexplained = {
        name: pair for name, pair in found.items() if pair[0] != pair[1] and name not in DIFFERENCES
    }
    assert not unexplained
    wrong = {
        name: ours
        for name, (ours, _) in found.items()
        if name in OURS and (ours.error or ours.output) != OURS[name]
    }
    assert not wrong
    gone = [
        name for name, (ours, theirs) in found.items() if ours == theirs and name in DIFFERENCES
    ]
    assert not gone, "these differ no more: take them out of differences.py"


def test_there_are_definitions_enough_and_each_is_valid():
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)
    assert DIFFERENCES.keys() == OURS.keys()
    assert DIFFERENCES.keys() <= {case.name for case in CASES}
    faults = {case.name: diagnose(json.dumps(case.definition)) for case in CASES}
    assert not {name: found for name, found in faults.items() if found}


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_sample_of_definitions_gives_the_same_on_moto(engines):
    _check(await _compared(engines, SAMPLE))


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_every_definition_gives_the_same_on_moto_or_its_difference_is_explained(engines):
    _check(await _compared(engines, CASES))


def _drawn(count):
    """`count` random machines with inputs; hypothesis shrinks nothing here, the definition is shown as it is."""
    found = []

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(machines(), DOCUMENTS)
    def draw(definition, document):
        found.append((definition, document))

    draw()
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "count",
    [
        pytest.param(40, marks=pytest.mark.slow, id="few"),
        pytest.param(400, marks=pytest.mark.long, id="many"),
    ],
)
async def test_random_definitions_give_the_same_on_moto(engines, count):
    slots = asyncio.Semaphore(AT_ONCE)

    async def differs(number, definition, document):
        assert not diagnose(json.dumps(definition))
        async with slots:
            pair = await _both(engines, f"r{count}-{number}", definition, document)
        # The one difference that random machines can show, see differences.py.
        ours, theirs = (one.without("TaskStateAborted") for one in pair)
        return None if ours == theirs else (definition, document, ours, theirs)

    drawn = [differs(number, *one) for number, one in enumerate(_drawn(count))]
    assert not [found for found in await asyncio.gather(*drawn) if found]
