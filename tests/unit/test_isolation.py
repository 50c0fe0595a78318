"""What readers were shown, held against what the ledgers say it came to."""

from dataclasses import replace

from scenarios.judge.oracle import Asked, gather
from scenarios.judge.rules import Rule
from shared_domain.order.counter_examples import (
    CANCELLED,
    CHARGED,
    ORDER,
    PLACED,
    REFUNDED,
    REFUSED,
    RELEASED,
    RESERVED,
    WENT_WELL,
    CounterExample,
)
from shared_domain.order.example_rows import ledgers_of
from shared_domain.order.isolation import Visit, anomalies
from shared_domain.order.saga import SAGA

CONFIRMED = CounterExample(rule=Rule.ONCE, description="", rows=WENT_WELL, status="CONFIRMED")
UNDONE = CounterExample(
    rule=Rule.ONCE,
    description="",
    rows=(PLACED, RESERVED, CHARGED, REFUSED, REFUNDED, RELEASED, CANCELLED),
    status="CANCELLED",
)
ASKED = Asked(
    order=ORDER, accepted=True, told=(), intended_mono_s=100,
)  # fmt: skip


def _found(example, *visits):
    ledgers = ledgers_of(example)
    return anomalies(visits, gather(SAGA, [ASKED], ledgers), ledgers)


def _visit(*shown, at=101.5, **more):
    return Visit(
        reader="clerk", order_id="o1", item="book", mono_s=(at, at + 0.1), shown=shown, **more
    )


def test_an_open_order_that_says_so_misleads_nobody():
    found = _found(UNDONE, _visit("PENDING", "PENDING"), _visit("PENDING", "CANCELLED"))
    assert (found.visits, found.dirty_reads, found.fuzzy_reads) == (2, 0, 0)


def test_shown_as_confirmed_and_undone_later_is_a_dirty_read():
    found = _found(UNDONE, _visit("CONFIRMED", "CONFIRMED"))
    assert (found.dirty_reads, found.early_reads) == (1, 0)
    assert found.examples[0]["shown"] == ("CONFIRMED", "CONFIRMED")


def test_shown_as_confirmed_too_early_is_no_dirty_read_if_it_came_true():
    early = _visit("CONFIRMED", "CONFIRMED", at=101.5)
    after = _visit("CONFIRMED", "CONFIRMED", at=105.0)
    found = _found(CONFIRMED, early, after)
    assert (found.dirty_reads, found.early_reads) == (0, 1)


def test_two_final_answers_in_one_visit_are_a_fuzzy_read():
    assert _found(UNDONE, _visit("CONFIRMED", "CANCELLED")).fuzzy_reads == 1
    assert _found(CONFIRMED, _visit("PENDING", "CONFIRMED")).fuzzy_reads == 0


def test_units_counted_as_sold_to_an_order_that_was_undone_are_a_dirty_stock_read():
    visit = _visit("CONFIRMED", "CONFIRMED", free=(9, 9), sold_to=("o1",))
    assert _found(UNDONE, visit).dirty_stock_reads == 1
    assert _found(CONFIRMED, visit).dirty_stock_reads == 0


def test_stock_that_moved_within_a_visit_is_told():
    assert _found(CONFIRMED, _visit("PENDING", "PENDING", free=(10, 9))).fuzzy_stock_reads == 1


def test_an_update_that_another_one_overwrote_is_lost():
    assert _found(replace(CONFIRMED, free=10)).lost_updates == 1
    assert _found(CONFIRMED).lost_updates == 0


def test_what_was_sold_and_was_not_there_is_oversold():
    assert _found(replace(CONFIRMED, initial=0)).oversold == 1
