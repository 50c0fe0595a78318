"""The engine's benchmarks run, and their tables hold what they promise. They assert no speed."""

import io

import pytest
from rich.console import Console

from bench import engine_growth, engine_speed
from bench.engine_contenders import CONTENDERS, INSIDE, MOTO


def _text(table):
    console = Console(file=io.StringIO(), width=240)
    console.print(table)
    return console.file.getvalue()


async def test_the_speed_table_sets_the_ways_side_by_side():
    contenders = [INSIDE, "over HTTP, boto3"]
    text = _text(await engine_speed.compare(executions=20, trials=1, contenders=contenders))
    assert all(
        text.count(f"│ {contender} ") == 2 for contender in contenders
    )  # at 1 and at 64 in flight


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_every_way_runs_moto_included():
    text = _text(await engine_speed.compare(executions=20, trials=1, contenders=list(CONTENDERS)))
    assert text.count(f"│ {MOTO} ") == 2
    assert "1.0x" in text


@pytest.mark.slow
async def test_the_growth_table_has_a_row_per_stretch():
    text = _text(await engine_growth.grow(most=300))
    assert [row in text for row in ("0 to 100", "100 to 270", "270 to 300")] == [True] * 3
