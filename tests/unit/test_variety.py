"""Customers who differ, and what they may not change by it."""

from dataclasses import replace
from random import Random

from scenarios.runs.variety import CHANGED, repeated
from shared_domain.order.laws import CARD_LIMIT_CENTS
from shared_domain.order.saga import SAGA


def test_another_content_under_the_same_id_is_refused_where_the_order_is():
    order = SAGA.workload.order(0, n=1, chance=Random(1), item="book")
    dear = replace(order, amount_cents=CARD_LIMIT_CENTS + 1)
    for wanted in (order, dear):
        found = [
            content
            for index in range(300)
            for content in repeated(SAGA, wanted, index, seed=1, kinds=[CHANGED])
        ]
        assert len(found) > 10
        assert all(content.order_id == wanted.order_id for content in found)
        assert any(content != wanted for content in found)
        limits = {content.amount_cents > CARD_LIMIT_CENTS for content in found}
        assert limits == {wanted is dear}
