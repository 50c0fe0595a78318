"""Both ways to reach an engine, for tests that bring a fixture `functions`: name -> Lambda function.

A process of its own takes half a second to start: `inside` is for rules that the wire cannot change.
"""

import pytest

from tests.contract.engines import WAYS, open_engine


@pytest.fixture(params=WAYS)
async def engines(request, tmp_path, functions):
    """An Engine at a time scale of 0.01."""
    async with open_engine(request.param, tmp_path, functions) as engine:
        yield engine


@pytest.fixture
async def inside(tmp_path, functions):
    """An Engine in this process, at a time scale of 0.01."""
    async with open_engine(WAYS[0], tmp_path, functions) as engine:
        yield engine
