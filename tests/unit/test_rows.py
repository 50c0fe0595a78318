"""What a step leads to when it gives up, by the rows."""

from dataclasses import replace
from types import SimpleNamespace

from kernel.messages import Event
from kernel.rows import reactions_by_rows
from shared_domain.order.saga import BOOK, CHARGE, CONFIRM, PLACE, RESERVE, SAGA


class ReservationLost(Event):
    """Gave up."""


ONLY_CHARGE = SimpleNamespace(
    RULES={CHARGE.command: SAGA.participants["payment"].RULES[CHARGE.command]}
)


def led_to(saga, event):
    return [
        (reaction.service, reaction.command.__name__)
        for reaction in reactions_by_rows(saga, saga.variant)
        if event in reaction.hears()
    ]


def test_a_step_that_gives_up_is_undone_first_if_it_has_an_undo():
    assert led_to(SAGA, CHARGE.gave_up) == [("payment", "RefundPayment")]


def test_a_step_without_an_undo_that_gives_up_undoes_the_step_before_it():
    check = replace(CHARGE, undo=None, undone=None, gave_up=ReservationLost)
    saga = replace(
        SAGA,
        variants={"inventory-first": (PLACE, RESERVE, check, BOOK, CONFIRM)},
        participants={**SAGA.participants, "payment": ONLY_CHARGE},
    )
    assert led_to(saga, ReservationLost) == [("inventory", "ReleaseStock")]
