"""Bugs of a participant: they are there whoever coordinates."""

from contextlib import ExitStack
from dataclasses import replace
from unittest.mock import patch

from kernel.database import Transaction
from kernel.errors import OutcomeUnknown
from kernel.inbox import Inbox
from kernel.ledger import Decision, Effect, Ledger
from kernel.messages import Command, Event
from kernel.orders import OrderRecord
from kernel.participant import Participant
from scenarios.catalog.bug import Bug, both, entry, every, orchestrated, replaced
from scenarios.catalog.planting import forgetting
from scenarios.faults.plan import Moment
from scenarios.judge.rules import Rule
from shared_domain.order.messages import (
    BookShipment,
    CancelShipment,
    ChargePayment,
    ConfirmOrder,
    OrderConfirmed,
    PaymentCharged,
    PaymentRefunded,
    RefundPayment,
    ReleaseStock,
    ReserveStock,
    ShipmentCancelled,
    StockReleased,
    StockReserved,
)
from shared_domain.order.participants import inventory, order, payment, shipping

_work = Participant._once
_load, _enter = inventory.load, Ledger.enter


def _remembers_nothing(self: Inbox, tx: Transaction, command: Command) -> Event | None:
    return None


def _release_subtracts(
    stock: inventory.Reservation, command: Command
) -> tuple[inventory.Reservation, Decision]:
    freed, decision = inventory.release(stock, command)
    less = replace(freed, free=stock.free - stock.reserved)
    return less, replace(decision, delta=less.free - stock.free)


def _release_trusts_the_order(
    stock: inventory.Reservation, command: Command
) -> tuple[inventory.Reservation, Decision]:
    quantity = command.order.quantity
    freed = replace(stock, free=stock.free + quantity, released=stock.released + quantity)
    return freed, Decision(answer=StockReleased, effect=Effect.UNDONE, delta=quantity)


def _reserve_without_looking(
    stock: inventory.Reservation, command: Command
) -> tuple[inventory.Reservation, Decision]:
    quantity = command.order.quantity
    held = replace(stock, free=stock.free - quantity, reserved=stock.reserved + quantity)
    return held, Decision(answer=StockReserved, effect=Effect.DONE, delta=-quantity)


def _refund_short(account: payment.Account, command: Command) -> tuple[payment.Account, Decision]:
    """The price without its tenth: as if a fee were kept."""
    refunded, decision = payment.refund(account, command)
    short = -decision.delta * 9 // 10
    return replace(refunded, refunded_cents=account.refunded_cents + short), replace(
        decision, delta=-short
    )


def _refund_fails_silently(
    account: payment.Account, command: Command
) -> tuple[payment.Account, Decision]:
    return account, Decision(answer=PaymentRefunded, effect=Effect.UNDONE, delta=0)


def _refund_by_answer(
    account: payment.Account, command: Command
) -> tuple[payment.Account, Decision]:
    """Finds the charge by the answer that the caller passes on: if that was lost, there is nothing to find."""
    if command.caused_by.rpartition(":")[2] in ("ShipmentRefused", "ShipmentCancelled"):
        return payment.refund(account, command)
    return account, Decision(answer=PaymentRefunded, effect=Effect.TOMBSTONE)


def _cancel_without_looking(
    shipment: shipping.Shipment, command: Command
) -> tuple[shipping.Shipment, Decision]:
    return shipment, Decision(answer=ShipmentCancelled, effect=Effect.TOMBSTONE)


def _confirm_without_saving(record: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    return record, Decision(answer=OrderConfirmed, effect=Effect.DONE)


async def _errors_are_swallowed(self: Participant, command: Command) -> Event:
    try:
        return await _work(self, command)
    except OutcomeUnknown:
        if type(command) is not ChargePayment:
            raise
    nothing_done = Decision(answer=PaymentCharged, effect=Effect.REFUSED)
    return await self.database.write(lambda tx: self.inbox.remember(tx, command, nothing_done))


def _cancel_calls_back(
    shipment: shipping.Shipment, command: Command
) -> tuple[shipping.Shipment, Decision]:
    """Calls a booked parcel back, as if it were a step like any other."""
    if not shipment.booked:
        return shipping.cancel(shipment, command)
    called_back = Decision(answer=ShipmentCancelled, effect=Effect.UNDONE, delta=-shipment.booked)
    return replace(shipment, booked=0), called_back


def _no_row_for_refunds(
    self: Ledger, tx: Transaction, command: Command, decision: Decision
) -> None:
    if type(command) is not RefundPayment:
        _enter(self, tx, command, decision)


def _rows_of_a_stranger(
    self: Ledger, tx: Transaction, command: Command, decision: Decision
) -> None:
    if type(command) is ChargePayment:
        command = replace(command, order=replace(command.order, order_id="nobody"))
    _enter(self, tx, command, decision)


def _stale_reads(stack: ExitStack) -> None:
    """Stock is read ahead of its turn, and written back as it was read: what a transaction too small does."""
    seen: dict[str, int] = {}

    def load(tx: Transaction, command: Command, *, tombstoned: bool) -> inventory.Reservation:
        stock = _load(tx, command, tombstoned=tombstoned)
        stale = seen.get(stock.item, stock.free)
        seen[stock.item] = stock.free
        return replace(stock, free=stale)

    stack.enter_context(patch.object(inventory, "load", load))


BUGS = [
    Bug(
        name="inbox_not_read",
        words="a repeated message acts again",
        plant=replaced(Inbox, "recall", _remembers_nothing),
        scenario="delivered_twice",
        found_by=both(Rule.ONCE),
    ),
    Bug(
        name="charge_not_idempotent",
        words="only the charge ignores its message_id",
        plant=forgetting(ChargePayment),
        scenario="delivered_twice",
        found_by=both(Rule.ONCE),
    ),
    Bug(
        name="booking_not_idempotent",
        words="a booking whose answer was lost is booked again",
        plant=forgetting(BookShipment),
        scenario="any_ending",
        faults=(every(2, "BookShipment", Moment.ANSWER_LOST),),
        found_by=both(Rule.ONCE),
    ),
    Bug(
        name="refund_not_idempotent",
        words="a refund whose answer was lost is paid again",
        plant=forgetting(RefundPayment),
        scenario="undeliverable",
        faults=(every(2, "RefundPayment", Moment.ANSWER_LOST),),
        found_by=both(Rule.UNDONE_ONCE),
    ),
    Bug(
        name="release_subtracts",
        words="releasing stock takes it once more instead of giving it back",
        plant=entry(inventory.RULES, ReleaseStock, _release_subtracts),
        scenario="card_declined",
        found_by=both(Rule.STOCK),
    ),
    Bug(
        name="release_of_nothing",
        words="releasing gives back what was ordered, whether it was reserved or not",
        plant=entry(inventory.RULES, ReleaseStock, _release_trusts_the_order),
        scenario="any_ending",
        faults=(every(2, "ReserveStock", Moment.HANG, always=True),),
        found_by=both(Rule.CAUSE),
    ),
    Bug(
        name="reserve_without_looking",
        words="stock is reserved whether there is any or not",
        plant=entry(inventory.RULES, ReserveStock, _reserve_without_looking),
        scenario="last_item",
        found_by=both(Rule.NOT_OVERSOLD),
    ),
    Bug(
        name="stale_stock",
        words="stock is read in one transaction and written in another: updates get lost",
        plant=_stale_reads,
        scenario="hot_items",
        found_by=both(Rule.STOCK),
    ),
    Bug(
        name="refund_of_the_wrong_amount",
        words="a tenth of the price is kept",
        plant=entry(payment.RULES, RefundPayment, _refund_short),
        scenario="undeliverable",
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="refund_fire_and_forget",
        words="the refund is answered before it is made, and never made",
        plant=entry(payment.RULES, RefundPayment, _refund_fails_silently),
        scenario="undeliverable",
        found_by=both(Rule.MONEY),
    ),
    Bug(
        name="refund_by_lost_answer",
        words="a charge is looked up by its answer; if that was lost nothing is refunded",
        plant=entry(payment.RULES, RefundPayment, _refund_by_answer),
        scenario="any_ending",
        faults=(every(2, "ChargePayment", Moment.ANSWER_LOST, always=True),),
        found_by=orchestrated(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="no_tombstones",
        words="a step that comes after its compensation acts",
        plant=replaced(Inbox, "tombstoned", lambda *_: False),
        scenario="late_success",
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="cancel_past_the_pivot",
        words="a shipment is called cancelled without looking whether it is booked",
        plant=entry(shipping.RULES, CancelShipment, _cancel_without_looking),
        scenario="any_ending",
        faults=(
            every(2, "BookShipment", Moment.ANSWER_LOST, always=True),
            every(2, "ConfirmOrder", Moment.REQUEST_REORDERED, always=True),
        ),
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="parcel_called_back",
        words="a booked parcel is called back like any other step",
        plant=entry(shipping.RULES, CancelShipment, _cancel_calls_back),
        scenario="any_ending",
        faults=(
            every(2, "BookShipment", Moment.ANSWER_LOST, always=True),
            every(2, "ConfirmOrder", Moment.REQUEST_REORDERED, always=True),
        ),
        found_by=both(Rule.ONLY_FORWARD),
    ),
    Bug(
        name="order_stays_pending",
        words="the confirmation is answered and not written",
        plant=entry(order.RULES, ConfirmOrder, _confirm_without_saving),
        scenario="happy_path",
        found_by=both(Rule.ENDS_OR_SHOWS),
    ),
    Bug(
        name="error_swallowed",
        words="the charge fails, and is answered as done",
        plant=replaced(Participant, "_once", _errors_are_swallowed),
        scenario="any_ending",
        faults=(every(2, "ChargePayment", Moment.ERROR),),
        found_by=both(Rule.CONFIRMED_IS_WHOLE),
    ),
    Bug(
        name="refund_without_a_row",
        words="the refund changes the account and leaves no row in the ledger",
        plant=replaced(Ledger, "enter", _no_row_for_refunds),
        scenario="undeliverable",
        found_by=both(Rule.ROWS_AGREE),
    ),
    Bug(
        name="charge_of_a_stranger",
        words="the charge is entered under another order's name",
        plant=replaced(Ledger, "enter", _rows_of_a_stranger),
        scenario="happy_path",
        found_by=both(Rule.NOBODY_ELSE),
    ),
]
