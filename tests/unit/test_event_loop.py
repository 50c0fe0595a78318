"""The garbage collector need not look at what was there before the work began."""

import gc
import signal

import pytest

from testbed.execution import run_until_done


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
    assert run_until_done(looked_at()) < before / 10


def test_an_interrupt_after_the_work_is_heard_again():
    async def nothing():
        return "done"

    assert run_until_done(nothing()) == "done"
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
