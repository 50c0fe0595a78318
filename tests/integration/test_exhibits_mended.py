"""Each defect of a described edition is mended alone: then the claim about it, and its proof, must fail."""

import json
from dataclasses import replace

import pytest

from bench.exhibits import sweeps
from bench.exhibits.exhibit import CORRECTED, DESCRIBED
from bench.exhibits.index import named, names
from bench.exhibits.trials import jobs_of, simulated, try_claims
from exhibits.charged_but_out_of_stock.described.reactions import REACTIONS as CHECKOUT
from exhibits.choice_versus_catch.described import inventory as subtracting
from exhibits.fulfilment_with_wait.described.reactions import REACTIONS as FULFILMENT
from exhibits.order_pay_first.described import inventory as believing
from exhibits.trip_booking.cancels import Unfinished
from exhibits.trip_booking.described import flight, hotel, payment
from kernel.loading import load_saga
from scenarios.faults.space import singles
from shared_domain.order import messages as order
from shared_domain.order.participants import inventory
from shared_domain.trip import messages as trip
from shared_domain.trip.participants import flight as trip_flight
from shared_domain.trip.participants import hotel as trip_hotel
from shared_domain.trip.participants import payment as trip_payment

RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxDelaySeconds": 8, "MaxAttempts": 3}]  # fmt: skip


def _page(variant, change):
    """The state machine of a variant, changed."""

    def mend(monkeypatch, tmp_path, saga):
        machine = json.loads(saga.state_machines[variant].read_text())
        changed = change(machine["States"]) or machine["States"]
        path = tmp_path / "mended.asl.json"
        path.write_text(json.dumps({**machine, "States": changed}))
        before = saga.state_machines
        object.__setattr__(saga, "state_machines", {**before, variant: path})
        return lambda: object.__setattr__(saga, "state_machines", before)

    return mend


def _entry(table, key, value, *more):
    """An entry of a table of rules or reactions, changed; `more`: further keys and values."""

    def mend(monkeypatch, tmp_path, saga):
        entries = (key, value, *more)
        for one, changed in zip(entries[::2], entries[1::2], strict=True):
            monkeypatch.setitem(table, one, changed)
        return lambda: None

    return mend


def _goes(state, answer, to, *, otherwise=None, variable="$.answer.name"):
    """A Choice in which an answer leads elsewhere, and whatever has no line of its own as well."""

    def change(states):
        choice = states[state]
        rules = [rule for rule in choice["Choices"] if rule["StringEquals"] != answer]
        choice["Choices"] = [*rules, {"Variable": variable, "StringEquals": answer, "Next": to}]
        choice["Default"] = otherwise or choice["Default"]

    return change


def _has(state, **fields):
    return lambda states: states[state].update(fields)


def _compensates(states):
    """An error of the payment leads back."""
    states["ChargePayment"]["Catch"][-1]["Next"] = "ReleaseStock"


def _confirms(states):
    """The order is confirmed before the saga is completed."""
    states["ConfirmOrder"] = states["CancelOrder"] | {
        "Parameters": states["CancelOrder"]["Parameters"] | {"name": "ConfirmOrder"},
        "Next": "CompleteSaga",
    }
    states["CheckPayment"]["Default"] = "ConfirmOrder"


def _ends_as_cancelled(states):
    del states["CancelOrder"]["End"]
    states["CancelOrder"]["Next"] = "OrderCancelled"
    states["OrderCancelled"] = {"Type": "Fail", "Error": "OrderCancelled"}


def _keeps_what_is_booked(states):
    """A shipment that is booked already leads forward."""
    kept = {"Variable": "$.answer.name", "StringEquals": "ShipmentAlreadyBooked", "Next": "ConfirmOrder"}  # fmt: skip
    states["Booked"] = {"Type": "Choice", "Choices": [kept], "Default": "ReleaseStock"}
    states["CancelShipment"]["Next"] = "Booked"


def _results_beside(states):
    described = load_saga("order_pay_first.described")
    return json.loads(described.state_machines["payment-first"].read_text())["States"]


CHOICE, PAY, FIRST = "choice-versus-catch", "order-pay-first", "payment-first"
CHARGED, WAIT, TRIP = "charged-but-out-of-stock", "fulfilment-with-wait", "trip-booking"
SHIPS_WHEN_PAID = (
    order.StockReserved, ("payment", order.ChargePayment),
    order.PaymentCharged, ("shipping", order.BookShipment),
    order.ShipmentBooked, ("order", order.ConfirmOrder),
)  # fmt: skip
MENDED = {
    (CHOICE, "release-subtracts"): _entry(subtracting.RULES, order.ReleaseStock, inventory.release),
    (CHOICE, "any-status-completes"): _page(
        "inventory-first", _goes("CheckPayment", "PaymentCharged", "CompleteSaga", otherwise="ReleaseStock")
    ),
    (CHOICE, "catch-goes-to-fail"): _page("inventory-first", _compensates),
    (CHOICE, "stays-pending"): _page("inventory-first", _confirms),
    (CHOICE, "no-retry"): _page("inventory-first", _has("ReserveStock", Retry=RETRY)),
    (CHOICE, "charged-without-stock"): _page(
        "inventory-first", _goes("CheckInventory", "StockReserved", "ChargePayment", otherwise="CancelOrder")
    ),
    (PAY, "results-replace-input"): _page("results-replace-input", _results_beside),
    (PAY, "undoes-the-failed-step"): _entry(believing.RULES, order.ReleaseStock, inventory.release),
    (PAY, "unships-without-a-shipment"): _page(FIRST, _goes("BookShipmentRaised", "ShipmentRefused", "ReleaseStock")),
    (PAY, "either-step-order"): _page(
        "inventory-first", _goes("ChargePaymentRaised", "PaymentDeclined", "ReleaseStock")
    ),
    (PAY, "undo-is-not-retried"): _page(FIRST, _has("RefundPayment", Retry=RETRY)),
    (PAY, "undone-is-a-success"): _page(FIRST, _ends_as_cancelled),
    (PAY, "parcel-of-a-cancelled-order"): _page(FIRST, _keeps_what_is_booked),
    (CHARGED, "charged-for-nothing"): _entry(CHECKOUT, order.StockRefused, ("payment", order.RefundPayment)),
    (CHARGED, "held-for-nobody"): _entry(CHECKOUT, order.PaymentDeclined, ("inventory", order.ReleaseStock)),
    (CHARGED, "nobody-sees-it"): _entry(CHECKOUT, order.StockRefused, ("order", order.CancelOrder)),
    (WAIT, "ships-before-paid"): _entry(FULFILMENT, *SHIPS_WHEN_PAID),
    (WAIT, "parcel-for-a-declined-card"): _entry(FULFILMENT, *SHIPS_WHEN_PAID),
    (WAIT, "stock-stays-taken"): _entry(FULFILMENT, order.PaymentFailed, ("inventory", order.ReleaseStock)),
    (TRIP, "room-without-a-trip"): _entry(hotel.RULES, trip.CancelHotel, trip_hotel.cancel),
    (TRIP, "seats-without-a-trip"): _entry(flight.RULES, trip.CancelFlight, trip_flight.cancel),
    (TRIP, "paid-for-no-trip"): _entry(payment.RULES, trip.ReturnPayment, trip_payment.give_back),
    (TRIP, "refund-without-a-trace"): _entry(payment.RULES, trip.ReturnPayment, trip_payment.give_back),
}  # fmt: skip
"""(exhibit, claim) -> what mends that defect and no other."""
ELSEWHERE = {(PAY, "page-is-no-json")}
"""Mended by taking the comments out: the described edition is that page."""


def _shown(exhibit, claim):
    """What each proof of a claim sees in the described edition, as it is now."""
    played = simulated(jobs_of([replace(exhibit, claims=(claim,))], [DESCRIBED]))
    return [
        one.shown
        for proof in claim.proofs
        for one in proof.attempt(exhibit.address(DESCRIBED), played)
    ]


def _claim(name, claim_name):
    (claim,) = [claim for claim in named(name).claims if claim.name == claim_name]
    return claim


@pytest.mark.parametrize(
    ("name", "claim"), [pytest.param(*key, id="-".join(key)) for key in MENDED]
)
def test_a_claim_fails_where_its_defect_alone_is_mended(name, claim, monkeypatch, tmp_path):
    exhibit, made = named(name), _claim(name, claim)
    undo = MENDED[name, claim](monkeypatch, tmp_path, load_saga(exhibit.address(DESCRIBED)))
    try:
        assert not all(_shown(exhibit, made))
    finally:
        undo()


def test_every_quick_claim_about_a_described_edition_is_mended_once():
    quick = {
        (name, claim.name)
        for name in names()
        for claim in named(name).claims
        if claim.about == DESCRIBED and all(proof.kind != "measurement" for proof in claim.proofs)
    }
    assert quick == MENDED.keys() | ELSEWHERE


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_longer_wait_hurts_fewer_orders_than_the_claim_says(monkeypatch, tmp_path):
    exhibit, made = named(WAIT), _claim(WAIT, "race-is-only-hidden")

    def longer(states):
        states["PayAndFulfil"]["Branches"][1]["States"]["HopeThatItIsPaid"]["Seconds"] = 20

    mend = _page("inventory-first", longer)
    address = exhibit.address(DESCRIBED)
    undo = mend(monkeypatch, tmp_path, load_saga(address))
    monkeypatch.setattr("exhibits.fulfilment_with_wait.race.over_cores", lambda work, pieces: [work(*p) for p in pieces])  # fmt: skip
    try:
        (shown,) = made.proofs[0].attempt(address, {})
    finally:
        undo()
    assert not shown.shown
    assert not shown.clean


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_wrong_prediction_is_not_confirmed():
    """Three cancels fail, and the arithmetic is for one."""
    wrong = Unfinished(scenario="three_failing_cancels", cancels=1)
    assert [one.shown for one in wrong.attempt(named(TRIP).address(DESCRIBED), {})] == [
        False,
        False,
    ]


class _Described:
    """An exhibit whose corrected edition is the described one."""

    def __init__(self, name, claim):
        self.claims, self._exhibit = (claim,), named(name)

    def address(self, edition):
        return self._exhibit.address(DESCRIBED)


@pytest.mark.parametrize("name", names())
def test_no_described_edition_is_called_sound(name):
    (tried,) = try_claims(_Described(name, _claim(name, "corrected-is-sound")), [CORRECTED], {})
    assert "expected to be seen, found: " in tried.missed
    assert "to mend in its files" in tried.missed


@pytest.mark.slow
def test_the_sweep_alone_finds_that_a_described_edition_is_not_sound(monkeypatch):
    monkeypatch.setattr(sweeps, "findings_of", lambda saga: [])
    monkeypatch.setattr(sweeps, "singles", lambda saga, styles: singles(saga, styles)[-20:])
    made = _claim(CHOICE, "corrected-is-sound")
    (tried,) = try_claims(_Described(CHOICE, made), [CORRECTED], {})
    assert "expected to be seen" in tried.missed
    lines = [line for one in tried.editions[CORRECTED] for line in one.witnesses]
    assert any(": half-done, " in line for line in lines), "its release takes the stock once more"
