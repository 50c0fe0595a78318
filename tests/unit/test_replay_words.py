"""Every effect that a ledger can have is told in a replay."""

import pytest

from kernel.ledger import Effect
from report.replay import _row_step
from shared_domain.order.saga import SAGA


@pytest.mark.parametrize("effect", Effect)
def test_every_effect_of_a_ledger_row_has_a_sentence(effect):
    row = {"participant": "payment", "operation": "ChargePayment", "effect": str(effect), "delta": 0, "answer": "PaymentFailed"}  # fmt: skip
    step = _row_step(SAGA, row, late=False)
    assert step
