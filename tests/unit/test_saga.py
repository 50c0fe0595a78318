"""A saga is a value: what is derived from its rows, and what is refused when it is made."""

import json
import sys
from dataclasses import make_dataclass, replace
from types import SimpleNamespace

import pytest

from kernel.errors import UsageError
from kernel.loading import load_saga
from kernel.messages import Codec, Command, Event
from scenarios.catalog.pages import page_differences
from shared_domain.order.messages import (
    BookShipment,
    CancelOrder,
    ChargePayment,
    OrderCancelled,
    PaymentCharged,
    PaymentDeclined,
    RefundPayment,
    ReserveStock,
    StockReserved,
)
from shared_domain.order.saga import BOOK, CHARGE, CONFIRM, PLACE, RESERVE, SAGA

TICKET = "tests/sagas/ticket"


def test_everything_is_derived_from_the_rows():
    assert SAGA.services == ("order", "inventory", "payment", "shipping")
    assert SAGA.undo == ("CancelShipment", "RefundPayment", "ReleaseStock", "CancelOrder")
    assert SAGA.undoes["RefundPayment"] == "ChargePayment"
    assert SAGA.answers["BookShipment"] == (
        "ShipmentBooked", "ShipmentRefused", "ShipmentBookingFailed",
    )  # fmt: skip
    assert SAGA.may_park == {"", "PlaceOrder", "ConfirmOrder", *SAGA.undo}
    assert SAGA.pivots == {"BookShipment", "ConfirmOrder"}
    assert SAGA.ends == {
        "OrderConfirmed": "CONFIRMED", "OrderCancelled": "CANCELLED", "OrderRejected": "REJECTED",
    }  # fmt: skip
    assert SAGA.undoes_after("BookShipment") == ("RefundPayment", "ReleaseStock", "CancelOrder")
    assert SAGA.order_of("payment-first")[1:3] == ("ChargePayment", "ReserveStock")


class Ring(Command):
    """Served by nobody."""


class Rang(Event):
    """The answer to it."""


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ((PLACE, replace(RESERVE, command=Ring), CHARGE, BOOK, CONFIRM), "row Ring: participant 'inventory' does not serve Ring"),
        ((PLACE, replace(RESERVE, service="bank"), CHARGE, BOOK, CONFIRM), "row ReserveStock: participant 'bank' does not serve"),
        ((PLACE, RESERVE, replace(CHARGE, undo=None), BOOK, CONFIRM), "row ChargePayment: undo and undone go together"),
        ((PLACE, RESERVE, replace(CHARGE, undo=None, undone=None), BOOK, CONFIRM), "payment serves RefundPayment, which no row names"),
        ((PLACE, RESERVE, replace(CHARGE, done=StockReserved), BOOK, CONFIRM), "StockReserved is the answer of more than one step"),
        ((PLACE, RESERVE, CHARGE, CONFIRM), "shipping serves BookShipment, which no row names"),
        ((PLACE, RESERVE, RESERVE, CHARGE, BOOK, CONFIRM), "StockReserved is the answer of more than one step"),
        ((PLACE, RESERVE, CHARGE, BOOK, replace(CONFIRM, kept=Rang)), "row ConfirmOrder: Rang is the answer of an undo that is not there"),
        ((), "it has no rows"),
    ],
)  # fmt: skip
def test_rows_that_contradict_each_other_are_refused_with_the_row_and_the_reason(rows, reason):
    with pytest.raises(UsageError, match="saga order") as refused:
        replace(SAGA, variants={"inventory-first": rows})
    assert reason in str(refused.value)


def test_variants_with_other_rows_are_refused():
    with pytest.raises(UsageError, match="variants do not have the same rows"):
        replace(
            SAGA,
            variants=dict(SAGA.variants) | {"other": (PLACE, RESERVE, CHARGE, BOOK, replace(CONFIRM, pivot=True))},
        )  # fmt: skip


def test_an_order_that_json_cannot_carry_is_refused():
    with pytest.raises(UsageError, match=r"Odd\.tags must be a str, int, float or bool"):
        Codec(_dataclass("Odd", tags=list), [])


def _dataclass(name, **fields):
    return make_dataclass(name, [("order_id", str), *fields.items()])


@pytest.mark.parametrize("where", ["order", TICKET])
def test_both_pages_agree_with_the_rows(where):
    assert page_differences(load_saga(where)) == []


def _pages(tmp_path, *, reactions=None, change=None):
    """What differs once the pages of the usual variant are changed."""
    page = json.loads(SAGA.state_machines["inventory-first"].read_text())
    if change:
        change(page["States"])
    path = tmp_path / "page.asl.json"
    path.write_text(json.dumps(page))
    table = SAGA.reactions["inventory-first"] if reactions is None else reactions
    usual = {"inventory-first": SAGA.steps}
    saga = replace(
        SAGA,
        variants=usual,
        reactions={"inventory-first": table},
        state_machines={"inventory-first": path},
    )
    return page_differences(saga)


def test_a_missing_reaction_is_named(tmp_path):
    without = {
        k: v for k, v in SAGA.reactions["inventory-first"].items() if k is not PaymentDeclined
    }
    assert _pages(tmp_path, reactions=without) == [
        "inventory-first, reactions: nobody reacts to PaymentDeclined; the rows say that inventory does ReleaseStock"
    ]  # fmt: skip


def test_a_wrong_and_an_unknown_reaction_are_named(tmp_path):
    wrong = SAGA.reactions["inventory-first"] | {
        PaymentCharged: ("order", CancelOrder),
        OrderCancelled: ("payment", RefundPayment),
    }
    assert _pages(tmp_path, reactions=wrong) == [
        "inventory-first, reactions: payment does RefundPayment after OrderCancelled; the rows know no such reaction",
        "inventory-first, reactions: after PaymentCharged order does CancelOrder; the rows say that shipping does BookShipment",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s["ChargePayment"].pop("Catch"), "ChargePayment has no Catch; the rows say RefundPayment"),
        (lambda s: [c.update(Next="CancelOrder") for c in s["ChargePayment"]["Catch"]], "ChargePayment is caught by CancelOrder; the rows say RefundPayment"),
        (lambda s: s["RefundPayment"].update(Next="CancelOrder"), "RefundPayment answered PaymentRefunded leads to CancelOrder; the rows say ReleaseStock"),
        (lambda s: s["PaymentAnswer"].update(Default="BookShipment"), "ChargePayment with an answer that nobody expects leads to BookShipment; the rows say RefundPayment"),
        (lambda s: s["ConfirmOrder"].update(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "CancelOrder"}]), "ConfirmOrder has a Catch to CancelOrder; the rows say that it is parked"),
        (lambda s: s.update(Extra=s["ConfirmOrder"]), "the task Extra is no operation of the rows"),
    ],
)  # fmt: skip
def test_a_state_machine_that_does_otherwise_is_named(tmp_path, change, sentence):
    assert f"inventory-first, state machine: {sentence}" in _pages(tmp_path, change=change)


def test_a_saga_that_is_not_there_is_one_line():
    with pytest.raises(UsageError, match=r"neither a built-in saga nor a folder with a saga\.py"):
        load_saga("./nowhere")
    with pytest.raises(UsageError, match="neither a built-in saga nor a folder"):
        load_saga("nosuch")


def test_a_folder_is_never_taken_for_another_package_of_its_name(tmp_path, monkeypatch):
    """`report` is a package of ours, and two users may call their folder alike."""
    for name in ("report", "ticket"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "saga.py").write_text("SAGA = None\n")
    load_saga(TICKET)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    with pytest.raises(UsageError, match="is no saga"):
        load_saga(str(tmp_path / "report"))
    with pytest.raises(UsageError, match="rename the folder"):
        load_saga(str(tmp_path / "ticket"))


def test_a_built_in_name_is_not_taken_for_a_folder_that_happens_to_lie_here(tmp_path, monkeypatch):
    (tmp_path / "order").mkdir()
    (tmp_path / "order" / "saga.py").write_text("SAGA = None\n")
    monkeypatch.chdir(tmp_path)
    assert load_saga("order") is SAGA


def test_served_commands_are_looked_up_in_the_participants_module():
    bare = SimpleNamespace(RULES={ChargePayment: None, RefundPayment: None}, SCHEMA="", TABLES=())
    with pytest.raises(UsageError, match="participant 'inventory' does not serve ReserveStock"):
        replace(SAGA, participants=dict(SAGA.participants) | {"inventory": bare})
    assert ReserveStock not in bare.RULES
    assert BookShipment.__name__ in SAGA.pivots
