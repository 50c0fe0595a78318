"""The judge, on rows written by hand: every class, every law, and the proofs it gives."""

from dataclasses import replace

import pytest

from kernel.policy import Policy
from kernel.ports import Parked
from scenarios.judge.judgement import judge
from scenarios.judge.oracle import Asked
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import Exit, Judgement, OrderClass
from scenarios.runs.scenario import Scenario
from shared_domain.order.counter_examples import ORDER
from shared_domain.order.example_rows import answer_of, ledgers_with
from shared_domain.order.saga import SAGA

ANYTHING = Scenario(name="x", description="x", expects=lambda i: frozenset(OrderClass))
PLACE, CONFIRM, CANCEL = (
    ("order", "PlaceOrder", "done", 0),
    ("order", "ConfirmOrder", "done", 0),
    ("order", "CancelOrder", "undone", 0),
)
RESERVE, RELEASE = (
    ("inventory", "ReserveStock", "done", -1),
    ("inventory", "ReleaseStock", "undone", 1),
)
CHARGE, REFUND = (
    ("payment", "ChargePayment", "done", 500),
    ("payment", "RefundPayment", "undone", -500),
)
BOOK = ("shipping", "BookShipment", "done", 1)
REFUSED = ("shipping", "BookShipment", "refused", 0)
COMMITTED = [PLACE, RESERVE, CHARGE, BOOK, CONFIRM]
COMPENSATED = [PLACE, RESERVE, CHARGE, REFUSED, REFUND, RELEASE, CANCEL]


def _judge(
    rows, status, *, told="", parked=(), accepted=True, free=None, took_s=1.0, never_struck=(), still_changing=False,
    disturb=None, scenario=ANYTHING, resumed=(), order=None, reads=(), units=None, attempts=None, conducted=False,
    **more,
):  # fmt: skip
    """Each row was caused by the one before it, unless it says by what."""
    caused, cause = [], "customer"
    for participant, operation, effect, delta, *why in rows:
        caused.append((participant, operation, effect, delta, *(why or [cause])))
        cause = answer_of(operation, effect) or cause
    ledgers = ledgers_with(caused, lasts_s=took_s)
    if order is None:
        order = replace(ORDER, destination="Atlantis") if REFUSED in rows else ORDER
    expired = any(row[4] == "OrderExpired" for row in caused)
    ledgers["order"]["orders"] = (
        [{"order_id": "o1", "status": status, "expired": int(expired)}] if status else []
    )
    moved = sum(row[3] for row in rows if row[0] == "inventory")
    ledgers["inventory"]["stock"] = [
        {"item": "book", "initial": 10, "free": 10 + moved if free is None else free}
    ]
    done = [row for row in rows if row[2] in ("done", "undone")]
    sums = {
        name: abs(sum(row[3] for row in done if row[1] == name))
        for name in (
            "ReserveStock",
            "ReleaseStock",
            "ChargePayment",
            "RefundPayment",
            "BookShipment",
        )
    }
    ledgers["inventory"]["reservations"] = [
        {
            "order_id": "o1",
            "item": "book",
            "reserved": sums["ReserveStock"],
            "released": sums["ReleaseStock"],
        }
    ]
    ledgers["payment"]["payments"] = [
        {
            "order_id": "o1",
            "charged_cents": sums["ChargePayment"],
            "refunded_cents": sums["RefundPayment"],
        }
    ]
    ledgers["shipping"]["shipments"] = [{"order_id": "o1", "booked": sums["BookShipment"]}]
    if disturb:
        disturb(ledgers)
    asked = Asked(
        order=order, accepted=accepted, reads=reads,
        told=("PENDING", told or status or "UNKNOWN"), intended_mono_s=100, accepted_mono_s=100,
    )  # fmt: skip
    return judge(
        saga=SAGA,
        variant=SAGA.variant,
        scenario=scenario,
        asked=[asked],
        ledgers=ledgers,
        parked=parked,
        injections=(),
        never_struck=never_struck,
        still_changing=still_changing,
        policy=Policy(),
        run_ended_mono_s=200,
        resumed=resumed,
        units=units,
        attempts=None if attempts is None else {("o1", k): n for k, n in attempts.items()},
        conducted=conducted,
        **more,
    )


def _parked(operation):
    return [Parked(order_id="o1", operation=operation, where="dead letter", why="budget")]


@pytest.mark.parametrize(
    ("rows", "status", "more", "expected"),
    [
        (COMMITTED, "CONFIRMED", {}, "committed"),
        (COMPENSATED, "CANCELLED", {}, "compensated"),
        (
            [("order", "PlaceOrder", "refused", 0)],
            "REJECTED",
            {"order": replace(ORDER, quantity=0)},
            "rejected",
        ),
        ([], "", {"accepted": False}, "rejected"),
        (COMMITTED, "CONFIRMED", {"took_s": 61}, "late"),
        (COMPENSATED[:4], "PENDING", {"parked": _parked("RefundPayment")}, "parked"),
        ([], "", {"parked": _parked("")}, "parked"),
    ],
)
def test_a_consistent_order_has_a_good_class(rows, status, more, expected):
    verdict = _judge(rows, status, **more)
    assert verdict.orders[0].order_class == expected
    assert verdict.judgement is Judgement.CONSISTENT


@pytest.mark.parametrize(
    ("rows", "status", "more", "expected"),
    [
        ([PLACE, RESERVE, CHARGE, CHARGE, BOOK, CONFIRM], "CONFIRMED", {}, "duplicated"),
        ([*COMPENSATED[:5], REFUND, RELEASE, CANCEL], "CANCELLED", {}, "duplicated"),
        ([PLACE, RESERVE, BOOK, CONFIRM], "CONFIRMED", {}, "half-done"),
        ([PLACE, RESERVE, CHARGE, REFUSED, RELEASE, CANCEL], "CANCELLED", {}, "half-done"),
        ([PLACE, RESERVE, ("inventory", "ReleaseStock", "undone", -1), CANCEL], "CANCELLED", {}, "half-done"),
        ([PLACE, RESERVE, CHARGE, BOOK], "CONFIRMED", {}, "half-done"),
        ([PLACE, RESERVE], "PENDING", {}, "stuck"),
        ([], "", {}, "stuck"),
        ([PLACE, RESERVE], "PENDING", {"parked": _parked("ChargePayment")}, "stuck"),
    ],
)  # fmt: skip
def test_an_inconsistent_order_has_a_bad_class_and_its_rows_as_witnesses(
    rows, status, more, expected
):
    verdict = _judge(rows, status, **more)
    (order,) = verdict.orders
    assert order.order_class == expected
    assert order.why
    assert len(order.witnesses) > 0 or not rows
    assert verdict.judgement is Judgement.INCONSISTENT
    assert verdict.exit_code() is Exit.NOT_AS_EXPECTED


@pytest.mark.parametrize(
    ("rows", "status", "told"),
    [
        (COMPENSATED, "CANCELLED", "CONFIRMED"),
        (COMMITTED, "CONFIRMED", "CANCELLED"),
        (COMPENSATED[:4], "PENDING", "CANCELLED"),
        (COMMITTED, "CONFIRMED", "PARKED"),
    ],
)
def test_a_customer_who_was_told_the_contrary_was_lied_to(rows, status, told):
    verdict = _judge(rows, status, told=told, parked=_parked("RefundPayment"))
    assert verdict.orders[0].lied
    assert verdict.judgement is Judgement.INCONSISTENT


def _broken(verdict):
    return {law.law for law in verdict.laws if not law.held}


def test_money_that_was_kept_breaks_the_law_of_money():
    verdict = _judge([PLACE, RESERVE, CHARGE, REFUSED, RELEASE, CANCEL], "CANCELLED")
    assert "money is conserved" in _broken(verdict)
    law = next(law for law in verdict.laws if law.law == "money is conserved")
    assert [row["operation"] for row in law.witnesses] == ["ChargePayment"]


def test_stock_that_vanished_breaks_the_law_of_stock():
    assert "stock is conserved" in _broken(_judge(COMMITTED, "CONFIRMED", free=3))


def test_stock_below_zero_is_oversold():
    assert "never oversold" in _broken(_judge(COMMITTED, "CONFIRMED", free=-1))


def test_a_refund_before_its_charge_breaks_the_law_of_causes():
    rows = [PLACE, RESERVE, REFUND, CHARGE, REFUSED, RELEASE, CANCEL]
    assert Rule.CAUSE in _broken(_judge(rows, "CANCELLED"))


def test_compensations_out_of_order_break_the_law_of_reverse_order():
    rows = [PLACE, RESERVE, CHARGE, REFUSED, RELEASE, REFUND, CANCEL]
    assert _broken(_judge(rows, "CANCELLED", conducted=True)) == {Rule.REVERSE}


BURIED = ("shipping", "CancelShipment", "tombstone", 0, "OrderExpired")
UNPAID = ("payment", "RefundPayment", "tombstone", 0)
LATE_CHARGE = ("payment", "ChargePayment", "refused", 0, "StockReserved")
EXPIRED = [PLACE, RESERVE, BURIED, UNPAID, RELEASE, CANCEL]


@pytest.mark.parametrize(
    ("late_charge", "broken"), [([LATE_CHARGE], set()), ([], {Rule.NOT_DROPPED})]
)
def test_a_message_that_nobody_heard_was_dropped_however_well_the_deadline_undid_it(
    late_charge, broken
):
    verdict = _judge([*EXPIRED, *late_charge], "CANCELLED", took_s=120)
    assert verdict.orders[0].order_class == "late"
    assert _broken(verdict) == broken


@pytest.mark.parametrize("operation", ["ChargePayment", ""])
def test_a_message_that_an_operator_has_was_not_dropped(operation):
    verdict = _judge(EXPIRED, "CANCELLED", took_s=120, parked=_parked(operation))
    assert _broken(verdict) == set()


def test_orders_still_open_because_the_machine_is_too_slow_make_the_run_unknown():
    verdict = _judge([PLACE, RESERVE], "PENDING", still_changing=True)
    assert verdict.judgement is Judgement.UNKNOWN


def test_a_business_row_that_contradicts_the_ledger_breaks_a_law():
    def triple(ledgers):
        ledgers["payment"]["payments"][0]["charged_cents"] *= 3

    assert _broken(_judge(COMMITTED, "CONFIRMED", disturb=triple)) == {
        "business rows agree with the ledger"
    }


def test_a_charge_that_nobody_ordered_breaks_a_law():
    def charge_another(ledgers):
        row = dict(ledgers["payment"]["ledger"][0], order_id="o2")
        ledgers["payment"]["ledger"].append(row)
        ledgers["payment"]["payments"].append(
            {"order_id": "o2", "charged_cents": 500, "refunded_cents": 0}
        )

    verdict = _judge(COMMITTED, "CONFIRMED", disturb=charge_another)
    assert "nothing is done that nobody ordered" in _broken(verdict)


def test_a_fault_that_never_struck_makes_the_run_unknown():
    verdict = _judge(COMMITTED, "CONFIRMED", never_struck=["no answer.lost ever struck"])
    assert verdict.judgement is Judgement.UNKNOWN
    assert verdict.exit_code() is Exit.UNKNOWN


def test_inconsistency_is_measured_from_the_end_of_the_order_until_its_effects_agree():
    rows = [PLACE, RESERVE, CHARGE, REFUSED, CANCEL, REFUND, RELEASE]
    (timing,) = _judge(rows, "CANCELLED", took_s=6).timings
    assert timing.inconsistency_s == pytest.approx(2.0)
    assert timing.money_exposure_s == pytest.approx(3.0)
    assert timing.open == []


def test_money_never_returned_is_an_open_interval():
    rows = [PLACE, RESERVE, CHARGE, REFUSED, RELEASE, CANCEL]
    (timing,) = _judge(rows, "CANCELLED").timings
    assert set(timing.open) == {"money", "inconsistency"}


def test_an_order_that_was_open_while_its_run_was_down_may_have_met_its_deadline():
    committed = Scenario(name="x", description="x")
    assert not _judge(COMPENSATED, "CANCELLED", scenario=committed).as_expected
    assert _judge(COMPENSATED, "CANCELLED", scenario=committed, resumed=["o1"]).as_expected
