"""Small inputs from public bug reports and state machines, with the outcome that AWS has. The cases are data: tests/cases."""

import json
from pathlib import Path

import pytest

from orchestration.step_functions import Refused
from tests.contract.engines import open_engine, start, wait_for_end

CASES = json.loads(
    (Path(__file__).parents[1] / "cases" / "engine_field_cases.json").read_text(encoding="utf-8")
)
MORE = json.loads(
    (Path(__file__).parents[1] / "cases" / "engine_more_cases.json").read_text(encoding="utf-8")
)


async def _echo(payload):
    return payload


async def _outcome(tmp_path, case):
    async with open_engine("inprocess", tmp_path, {"echo": _echo}) as engine:
        try:
            execution = await start(engine.call, case["definition"], text=json.dumps(case["input"]))
        except Refused as refused:
            return {"status": "REFUSED", "cause": str(refused)}
        found = await wait_for_end(engine.call, execution)
    seen = {name: found.get(name) for name in ("status", "error", "cause")}
    if found["status"] == "SUCCEEDED":
        seen["output"] = json.loads(found["output"])
    return seen


@pytest.mark.parametrize("case", [*CASES, *MORE], ids=lambda case: case["id"])
async def test_an_execution_ends_as_on_aws(tmp_path, case):
    seen, expect = await _outcome(tmp_path, case), case["expect"]
    if expect["status"] == "NOT_SUCCEEDED":
        assert seen["status"] in ("REFUSED", "FAILED"), seen
        return
    for name, value in expect.items():
        assert seen.get(name) == value, seen
