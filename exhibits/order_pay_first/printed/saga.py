"""The described edition with the page as it is printed. It cannot be loaded: that is the point."""

from dataclasses import replace
from pathlib import Path

from exhibits.order_pay_first.described.saga import SAGA as DESCRIBED

SAGA = replace(
    DESCRIBED,
    name="order_pay_first.printed",
    variants={"payment-first": DESCRIBED.variants["payment-first"]},
    state_machines={"payment-first": Path(__file__).with_name("order_saga.asl.json")},
)
