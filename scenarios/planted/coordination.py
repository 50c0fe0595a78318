"""Bugs of the coordination: in the reactions, the consumer and the relay, or in the state machine; where it makes sense, the same bug in both."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from choreography import reactions
from choreography.broker import Delivery
from choreography.cloud_events import envelope
from choreography.consumer import Consumer
from choreography.relay import Relay
from choreography.system import ChoreographedSystem
from orchestration import saga_definition as definitions
from orchestration import system as orchestration_system
from orchestration.system import OrchestratedSystem
from scenarios.fault_plan import Moment
from scenarios.planted.bug import (
    Bug,
    Plant,
    both,
    choreographed,
    entry,
    every,
    orchestrated,
    replaced,
)
from scenarios.rules import Rule
from shared_domain.database import Transaction
from shared_domain.errors import Failure, ParticipantCrashed
from shared_domain.exactly_once import ExactlyOnce, Unpublished
from shared_domain.messages import (
    BookShipment,
    CancelOrder,
    Command,
    Event,
    Order,
    OrderExpired,
    PaymentCharged,
    PaymentDeclined,
    PaymentFailed,
    PaymentRefunded,
    RefundPayment,
    ReleaseStock,
    ShipmentBookingFailed,
    ShipmentRefused,
    StockReleased,
    reply,
)
from shared_domain.participant import Participant

_TABLE = reactions.INVENTORY_FIRST
_define = definitions.saga_definition
_handle, _publish, _once = Consumer._handle, Relay._publish, Participant._once
_place_in_choreography = ChoreographedSystem.place_order
_place_in_orchestration = OrchestratedSystem.place_order
States = dict[str, Any]


def _reacting(changes: reactions.Reactions) -> Plant:
    """Some reactions are others."""

    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.dict(_TABLE, changes))

    return plant


def _without_reaction(event: type[Event]) -> Plant:
    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.dict(_TABLE))
        del _TABLE[event]

    return plant


def _machine(change: Callable[[States], None]) -> Plant:
    """The state machine, changed before it is created."""

    def define(*arguments: Any) -> dict[str, Any]:
        definition = _define(*arguments)
        change(definition["States"])
        return definition

    return replaced(orchestration_system, "saga_definition", define)


def _all(*plants: Plant) -> Plant:
    def plant(stack: ExitStack) -> None:
        for one in plants:
            one(stack)

    return plant


def _route(state: str, answer: str, to: str) -> Callable[[States], None]:
    """A Choice that sends this answer elsewhere."""

    def change(states: States) -> None:
        rule = next(r for r in states[state]["Choices"] if r["StringEquals"] == answer)
        rule["Next"] = to

    return change


def _wrong_order(states: States) -> None:
    _route("ShipmentAnswer", "ShipmentRefused", "ReleaseStock")(states)
    states["ReleaseStock"]["Next"], states["RefundPayment"]["Next"] = (
        "RefundPayment",
        "CancelOrder",
    )


def _catching(operation: str, catch: list[dict[str, Any]]) -> Callable[[States], None]:
    def change(states: States) -> None:
        states[operation]["Catch"] = catch
        if not catch:
            del states[operation]["Catch"]

    return change


def _refund_may_fail(states: States) -> None:
    caught = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "ReleaseStock"}
    states["RefundPayment"]["Catch"] = [caught]


def _only_custom_errors(states: States) -> None:
    caught = {"ErrorEquals": ["PaymentError"], "ResultPath": "$.failure", "Next": "RefundPayment"}
    states["ChargePayment"]["Catch"] = [caught]


def _paid_unless_declined(states: States) -> None:
    """Looks for a status that payment does not have, and takes any other one for paid."""
    states["PaymentAnswer"]["Choices"] = [
        {"Variable": "$.answer.name", "StringEquals": "DECLINED", "Next": "ReleaseStock"}
    ]
    states["PaymentAnswer"]["Default"] = "BookShipment"


async def _acks_first(self: Consumer, delivery: Delivery) -> None:
    await delivery.ack()
    await _handle(self, delivery)


def _no_outbox(stack: ExitStack) -> None:
    """Commit, then publish, then ack; what was answered before is not published again."""

    async def call(self: Consumer, command: Command) -> None:
        known = await self._database.read(lambda tx: self._once.answered(tx, command))
        answer = await self._service.call(command)
        if not known:
            await self._publish(answer)

    stack.enter_context(patch.object(Consumer, "_call", call))
    stack.enter_context(patch.object(ExactlyOnce, "_enqueue", lambda *_: None))


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
    sent = 0

    async def publish(self: Relay, row: Unpublished) -> None:
        nonlocal sent
        sent += 1
        if sent == 21:

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


def _greets_too_early(stack: ExitStack) -> None:
    async def choreography(self: ChoreographedSystem, order: Order) -> str:
        await _place_in_choreography(self, order)
        return "CONFIRMED"

    async def orchestration(self: OrchestratedSystem, order: Order) -> str:
        await _place_in_orchestration(self, order)
        return "CONFIRMED"

    stack.enter_context(patch.object(ChoreographedSystem, "place_order", choreography))
    stack.enter_context(patch.object(OrchestratedSystem, "place_order", orchestration))


BUGS = [
    Bug(
        name="compensations_missing",
        words="a refused shipment cancels the order, and nothing else",
        plant=_all(
            _reacting({ShipmentRefused: ("order", CancelOrder)}),
            _machine(_route("ShipmentAnswer", "ShipmentRefused", "CancelOrder")),
        ),
        scenario="undeliverable",
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="compensations_in_the_wrong_order",
        words="stock is released before the money is refunded",
        plant=_all(
            _reacting(
                {
                    ShipmentRefused: ("inventory", ReleaseStock),
                    StockReleased: ("payment", RefundPayment),
                    PaymentRefunded: ("order", CancelOrder),
                }
            ),
            _machine(_wrong_order),
        ),
        scenario="undeliverable",
        found_by=both(Rule.REVERSE),
    ),
    Bug(
        name="refused_step_compensated",
        words="a declined payment is refunded",
        plant=_all(
            _reacting({PaymentDeclined: ("payment", RefundPayment)}),
            _machine(_route("PaymentAnswer", "PaymentDeclined", "RefundPayment")),
        ),
        scenario="card_declined",
        found_by=both(Rule.REFUSED_IS_DONE),
    ),
    Bug(
        name="declined_taken_for_paid",
        words="any status but one is taken for paid",
        plant=_all(
            _reacting({PaymentDeclined: ("shipping", BookShipment)}),
            _machine(_paid_unless_declined),
        ),
        scenario="card_declined",
        found_by=both(Rule.CONFIRMED_IS_WHOLE),
    ),
    Bug(
        name="failed_refund_ignored",
        words="a refund that fails for good is taken for made",
        plant=_all(
            entry(reactions.GAVE_UP, RefundPayment, PaymentRefunded), _machine(_refund_may_fail)
        ),
        scenario="refund_fails_forever",
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="confirmed_from_the_start",
        words="the customer is told CONFIRMED as soon as the order is accepted",
        plant=_greets_too_early,
        scenario="card_declined",
        found_by=both(Rule.TOLD_THE_TRUTH),
    ),
    Bug(
        name="booking_unknown_is_undone",
        words="a booking that gave up is compensated without asking shipping",
        plant=_all(
            _reacting({ShipmentBookingFailed: ("payment", RefundPayment)}),
            _machine(
                _catching(
                    "BookShipment",
                    [
                        {
                            "ErrorEquals": ["States.ALL"],
                            "ResultPath": "$.failure",
                            "Next": "RefundPayment",
                        }
                    ],
                )
            ),
        ),
        scenario="any_ending",
        faults=(every(2, "BookShipment", Moment.ANSWER_LOST, always=True),),
        found_by=orchestrated(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="no_reaction_to_a_failed_payment",
        words="nobody hears PaymentFailed",
        plant=_without_reaction(PaymentFailed),
        scenario="budget_spent",
        found_by=choreographed(Rule.NOT_DROPPED),
    ),
    Bug(
        name="deadline_starts_in_the_middle",
        words="an expired order is refunded without asking shipping",
        plant=_reacting({OrderExpired: ("payment", RefundPayment)}),
        scenario="late_success",
        found_by=choreographed(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="no_outbox",
        words="commit, then publish: a crash in between loses the event",
        plant=_no_outbox,
        scenario="crash_after_commit",
        found_by=choreographed(Rule.ENDS_OR_SHOWS),
    ),
    Bug(
        name="ack_before_commit",
        words="a message is acked before its work is done",
        plant=replaced(Consumer, "_handle", _acks_first),
        scenario="crash_before_commit",
        found_by=choreographed(Rule.NOT_DROPPED),
    ),
    Bug(
        name="publish_before_commit",
        words="the event goes out, and then the transaction does not happen",
        plant=_publishes_before_commit,
        scenario="any_ending",
        faults=(every(4, "ChargePayment", Moment.CRASH_BEFORE_COMMIT),),
        found_by=choreographed(Rule.CONFIRMED_IS_WHOLE),
    ),
    Bug(
        name="marked_before_published",
        words="the relay marks an event as published, and then dies",
        plant=_marks_before_publishing,
        scenario="happy_path",
        found_by=choreographed(Rule.NOT_DROPPED),
    ),
    Bug(
        name="no_dead_letters",
        words="a message that cannot be handled is dropped",
        plant=replaced(Consumer, "_finally", _drops),
        scenario="refund_fails_forever",
        found_by=choreographed(Rule.ENDS_OR_SHOWS),
    ),
    Bug(
        name="catch_missing",
        words="a charge that fails for good fails the execution",
        plant=_machine(_catching("ChargePayment", [])),
        scenario="budget_spent",
        found_by=orchestrated(Rule.PARKED_IN_PLACE),
    ),
    Bug(
        name="catch_goes_to_cancelled",
        words="a charge that fails for good ends as cancelled, uncompensated",
        plant=_machine(
            _catching("ChargePayment", [{"ErrorEquals": ["States.ALL"], "Next": "OrderCancelled"}])
        ),
        scenario="budget_spent",
        found_by=orchestrated(Rule.TOLD_THE_TRUTH),
    ),
    Bug(
        name="timeout_not_caught",
        words="Catch names only an error of the author's own, and a timeout is none",
        plant=_machine(_only_custom_errors),
        scenario="budget_spent",
        found_by=orchestrated(Rule.PARKED_IN_PLACE),
    ),
]
