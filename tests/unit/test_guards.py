import pytest

from kernel.errors import UsageError
from kernel.guards import OFF, Guards


def test_guards_read_as_they_are_written():
    for text in ("all", "none", "-outbox", "-outbox,-inbox"):
        assert str(Guards.parse(text)) == text


def test_none_switches_every_guard_off():
    assert not any(getattr(Guards.none(), name) for name in OFF)


@pytest.mark.parametrize("text", ["", "outbox", "-nothing", "-inbox,outbox", ","])
def test_a_guard_nobody_knows_is_refused_with_the_list_of_those_there_are(text):
    with pytest.raises(UsageError, match="semantic_lock"):
        Guards.parse(text)
