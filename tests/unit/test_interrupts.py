"""A Ctrl-C in the wrong moment."""

import signal
import weakref

import pytest

from scenarios.runs.interrupts import noticing_interrupts


class _Thing:
    pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_drops_is_noticed_all_the_same():
    thing = _Thing()
    reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
    with noticing_interrupts() as check:
        check()
        del thing  # raises KeyboardInterrupt where nothing can be raised
        with pytest.raises(KeyboardInterrupt):
            check()
    assert reference() is None


def test_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    with noticing_interrupts() as check:
        check()
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
