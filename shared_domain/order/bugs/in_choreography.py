"""The choreography's side of planted bugs: in the reactions, the consumer and the relay."""

from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from choreography.broker import Delivery
from choreography.cloud_events import envelope
from choreography.consumer import Consumer
from choreography.relay import Relay
from choreography.system import ChoreographedSystem
from kernel.database import Transaction
from kernel.errors import Failure, ParticipantCrashed
from kernel.messages import Command, Event, reply
from kernel.outbox import Outbox, Unpublished
from kernel.participant import Participant
from scenarios.catalog.bug import Plant, entry, replaced
from scenarios.catalog.planting import reacting, without_reaction
from shared_domain.order.messages import (
    BookShipment,
    CancelOrder,
    ChargePayment,
    ConfirmOrder,
    Order,
    OrderExpired,
    PaymentCharged,
    PaymentDeclined,
    PaymentFailed,
    PaymentRefunded,
    RefundPayment,
    ReleaseStock,
    ShipmentBooked,
    ShipmentRefused,
    StockReleased,
    StockReserved,
)
from shared_domain.order.reactions import INVENTORY_FIRST
from shared_domain.order.saga import SAGA

_TABLE = INVENTORY_FIRST
_handle, _publish, _once = Consumer._handle, Relay._publish, Participant._once
_place_order = ChoreographedSystem.start


async def _acks_first(self: Consumer, delivery: Delivery) -> None:
    await delivery.ack()
    await _handle(self, delivery)


def _no_outbox(stack: ExitStack) -> None:
    """Commit, then publish, then ack; what was answered before is not published again."""

    async def call(self: Consumer, command: Command) -> None:
        known = await self._database.read(lambda tx: self._inbox.answered(tx, command))
        answer = await self._service.call(command)
        if not known:
            await self._publish(answer)

    stack.enter_context(patch.object(Consumer, "_call", call))
    stack.enter_context(patch.object(Outbox, "enqueue", lambda *_: None))


def _publishes_before_commit(stack: ExitStack) -> None:
    """The event is out; then the participant dies and, having acked, never takes the money."""
    brokers: list[Any] = []

    async def publishes(self: Participant, command: Command) -> Event:
        if command.name == "ChargePayment" and brokers:
            early = reply(PaymentCharged, command)
            await brokers[-1].publish(envelope(early, source="payment", wall_s=1.0))
        return await _once(self, command)

    async def acks(self: Consumer, delivery: Delivery) -> None:
        brokers.append(self._broker)
        await _acks_first(self, delivery)

    stack.enter_context(patch.object(Participant, "_once", publishes))
    stack.enter_context(patch.object(Consumer, "_handle", acks))


def _marks_before_publishing(stack: ExitStack) -> None:
    struck = False

    async def publish(self: Relay, row: Unpublished) -> None:
        nonlocal struck
        if type(row.event) is StockReserved and not struck:
            struck = True

            def mark(tx: Transaction) -> int:
                return tx.run("UPDATE outbox SET published = 1 WHERE seq = ?", row.seq)

            await self._database.write(mark)
            raise ParticipantCrashed("between mark and publish")
        await _publish(self, row)

    stack.enter_context(patch.object(Relay, "_publish", publish))


async def _drops(
    self: Consumer, delivery: Delivery, command: Command, reason: str, failure: Failure
) -> None:
    await delivery.ack()


async def _greets_too_early(self: ChoreographedSystem, order: Order) -> str:
    await _place_order(self, order)
    return "CONFIRMED"


PLANTS: dict[str, Plant] = {
    "shipped_before_paid": reacting(
        _TABLE,
        {
            StockReserved: ("shipping", BookShipment),
            ShipmentBooked: ("payment", ChargePayment),
            PaymentCharged: ("order", ConfirmOrder),
        },
    ),
    "compensations_missing": reacting(_TABLE, {ShipmentRefused: ("order", CancelOrder)}),
    "compensations_in_the_wrong_order": reacting(
        _TABLE,
        {
            ShipmentRefused: ("inventory", ReleaseStock),
            StockReleased: ("payment", RefundPayment),
            PaymentRefunded: ("order", CancelOrder),
        },
    ),
    "refused_step_compensated": reacting(_TABLE, {PaymentDeclined: ("payment", RefundPayment)}),
    "declined_taken_for_paid": reacting(_TABLE, {PaymentDeclined: ("shipping", BookShipment)}),
    "failed_refund_ignored": entry(SAGA.gave_up, "RefundPayment", PaymentRefunded),
    "confirmed_from_the_start": replaced(ChoreographedSystem, "start", _greets_too_early),
    "no_reaction_to_a_failed_payment": without_reaction(_TABLE, PaymentFailed),
    "deadline_starts_in_the_middle": reacting(_TABLE, {OrderExpired: ("payment", RefundPayment)}),
    "no_outbox": _no_outbox,
    "ack_before_commit": replaced(Consumer, "_handle", _acks_first),
    "publish_before_commit": _publishes_before_commit,
    "marked_before_published": _marks_before_publishing,
    "no_dead_letters": replaced(Consumer, "_finally", _drops),
}
"""Name of a bug -> how it is planted here."""
