"""The garbage collector need not look at what was there before the work began."""

import gc

import pytest

from testbed.carrying_out import carry_out


@pytest.fixture
def thawed():
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("thawed")
def test_what_a_command_imports_is_not_looked_at_while_it_works():
    async def looked_at():
        return len(gc.get_objects())

    before = len(gc.get_objects())
    assert carry_out(looked_at()) < before / 10
