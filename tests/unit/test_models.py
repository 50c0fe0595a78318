"""The pure rules: a compensation undoes its own saga's effect, or forbids it."""

import pytest

from kernel.ledger import Effect
from shared_domain.order.messages import (
    BookShipment,
    CancelOrder,
    CancelShipment,
    ChargePayment,
    ConfirmOrder,
    OrderCancelled,
    OrderConfirmed,
    OrderRejected,
    PaymentDeclined,
    PlaceOrder,
    RefundPayment,
    ReleaseStock,
    ReserveStock,
    ShipmentAlreadyBooked,
    ShipmentRefused,
    StockRefused,
)
from shared_domain.order.participants import inventory, payment, shipping
from shared_domain.order.participants import order as orders
from tests.samples import command, order


def test_a_reservation_takes_what_is_free_and_a_release_gives_back_the_same():
    stock = inventory.Reservation(order_id="o1", item="book", free=5)
    held, reserved = inventory.reserve(stock, command(ReserveStock))
    assert (held.free, reserved.delta) == (3, -2)
    freed, released = inventory.release(held, command(ReleaseStock))
    assert (freed.free, released.delta, released.effect) == (5, 2, Effect.UNDONE)


def test_stock_is_never_promised_twice():
    stock = inventory.Reservation(order_id="o1", item="book", free=1)
    same, decision = inventory.reserve(stock, command(ReserveStock))
    assert same == stock
    assert (decision.answer, decision.delta) == (StockRefused, 0)


def test_a_charge_above_the_limit_is_declined():
    rich = order("o1", amount_cents=payment.CARD_LIMIT_CENTS + 1)
    _, decision = payment.charge(payment.Account(order_id="o1"), command(ChargePayment, rich))
    assert (decision.answer, decision.effect) == (PaymentDeclined, Effect.REFUSED)


def test_a_refund_gives_back_what_was_charged_and_not_what_is_asked_for():
    charged, _ = payment.charge(payment.Account(order_id="o1"), command(ChargePayment))
    inflated = command(RefundPayment, order("o1", amount_cents=99_000))
    _, decision = payment.refund(charged, inflated)
    assert decision.delta == -1500


def test_a_booked_parcel_is_never_cancelled():
    booked, _ = shipping.book(shipping.Shipment(order_id="o1"), command(BookShipment))
    same, decision = shipping.cancel(booked, command(CancelShipment))
    assert same == booked
    assert (decision.answer, decision.effect) == (ShipmentAlreadyBooked, Effect.KEPT)


@pytest.mark.parametrize(
    ("rule", "state", "kind", "refusal"),
    [
        (inventory.reserve, inventory.Reservation(order_id="o1", item="book", free=9, tombstoned=True), ReserveStock, StockRefused),
        (payment.charge, payment.Account(order_id="o1", tombstoned=True), ChargePayment, PaymentDeclined),
        (shipping.book, shipping.Shipment(order_id="o1", tombstoned=True), BookShipment, ShipmentRefused),
        (orders.place, orders.OrderRecord(order_id="o1", tombstoned=True), PlaceOrder, OrderRejected),
    ],
)  # fmt: skip
def test_a_step_that_comes_after_its_compensation_is_refused(rule, state, kind, refusal):
    _, decision = rule(state, command(kind))
    assert (decision.answer, decision.effect, decision.delta) == (refusal, Effect.REFUSED, 0)


@pytest.mark.parametrize(
    ("rule", "state", "kind"),
    [
        (
            inventory.release,
            inventory.Reservation(order_id="o1", item="book", free=9),
            ReleaseStock,
        ),
        (payment.refund, payment.Account(order_id="o1"), RefundPayment),
        (shipping.cancel, shipping.Shipment(order_id="o1"), CancelShipment),
        (orders.cancel, orders.OrderRecord(order_id="o1"), CancelOrder),
    ],
)
def test_a_compensation_without_its_step_is_a_tombstone_that_changes_nothing(rule, state, kind):
    same, decision = rule(state, command(kind))
    assert same == state
    assert (decision.effect, decision.delta) == (Effect.TOMBSTONE, 0)


def test_an_order_is_pending_until_it_is_confirmed_and_then_stays_so():
    pending, _ = orders.place(orders.OrderRecord(order_id="o1"), command(PlaceOrder))
    assert pending.status == "PENDING"
    confirmed, _ = orders.confirm(pending, command(ConfirmOrder))
    same, decision = orders.cancel(confirmed, command(CancelOrder))
    assert (same.status, decision.answer) == ("CONFIRMED", OrderConfirmed)


def test_a_cancelled_order_cannot_be_confirmed():
    cancelled = orders.OrderRecord(order_id="o1", status="CANCELLED")
    same, decision = orders.confirm(cancelled, command(ConfirmOrder))
    assert (same.status, decision.answer) == ("CANCELLED", OrderCancelled)


def test_an_order_of_nothing_is_rejected():
    nothing = command(PlaceOrder, order("o1", quantity=0))
    rejected, decision = orders.place(orders.OrderRecord(order_id="o1"), nothing)
    assert (rejected.status, decision.answer) == ("REJECTED", OrderRejected)
