"""The described pages and the described inventory over the rows of the order saga.

`results-replace-input` is the page with results where the sketch puts them.
"""

from dataclasses import replace
from pathlib import Path

from exhibits.order_pay_first.corrected.saga import SAGA as CORRECTED
from exhibits.order_pay_first.described import inventory
from exhibits.order_pay_first.described.reactions import INVENTORY_FIRST, PAYMENT_FIRST

FOLDER = Path(__file__).parent
ROWS = CORRECTED.variants["payment-first"]

SAGA = replace(
    CORRECTED,
    name="order_pay_first.described",
    participants={**CORRECTED.participants, "inventory": inventory},
    variants={**CORRECTED.variants, "results-replace-input": ROWS},
    reactions={
        "payment-first": PAYMENT_FIRST,
        "inventory-first": INVENTORY_FIRST,
        "results-replace-input": PAYMENT_FIRST,
    },
    state_machines={
        "payment-first": FOLDER / "payment_first.asl.json",
        "inventory-first": FOLDER / "inventory_first.asl.json",
        "results-replace-input": FOLDER / "results_replace_input.asl.json",
    },
)
