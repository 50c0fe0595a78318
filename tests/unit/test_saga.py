"""A saga is a value: what is derived from its rows, and what is refused when it is made."""

import sys
from dataclasses import make_dataclass, replace
from types import SimpleNamespace

import pytest

from kernel.errors import UsageError
from kernel.loading import load_saga
from kernel.messages import Codec, Command, Event
from shared_domain.order.messages import (
    BookShipment,
    ChargePayment,
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
    assert [step.name for step in SAGA.rows("payment-first")[1:3]] == [
        "ChargePayment",
        "ReserveStock",
    ]
    assert [len(stage) for stage in SAGA.stages("parallel")] == [1, 2, 1, 1]


class Ring(Command):
    """Served by nobody."""


class Rang(Event):
    """The answer to it."""


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ((PLACE, replace(RESERVE, command=Ring), CHARGE, BOOK, CONFIRM), "row Ring: participant 'inventory' does not serve Ring"),
        ((PLACE, replace(RESERVE, service="bank"), CHARGE, BOOK, CONFIRM), "row ReserveStock: there is no participant 'bank'"),
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
