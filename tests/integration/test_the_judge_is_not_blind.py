"""Plant a bug, and see the named story turn INCONSISTENT with witnesses that point at it."""

from dataclasses import replace

import pytest

from choreography import reactions
from choreography.cloud_events import envelope
from choreography.consumer import Consumer
from choreography.memory_broker import MemoryBroker
from choreography.relay import Relay
from orchestration import system as orchestration_system
from orchestration.engine.actions import ACTIONS
from orchestration.saga_definition import saga_definition
from scenarios.systems import STYLES
from scenarios.verdict import Judgement
from shared_domain.errors import ParticipantCrashed
from shared_domain.exactly_once import ExactlyOnce
from shared_domain.guards import Guards
from shared_domain.inventory import model as inventory
from shared_domain.messages import (
    PaymentCharged,
    PaymentFailed,
    ReleaseStock,
    StockRefused,
    reply,
)
from shared_domain.participant import Participant

DROPPED = "no saga is dropped and left to its deadline"
styles = pytest.mark.parametrize("style", STYLES)


def _blamed(verdict):
    """What the judge says is wrong: classes of bad orders, broken laws, operations of the witnesses."""
    assert verdict.judgement is Judgement.INCONSISTENT
    bad = [order for order in verdict.orders if order.witnesses or order.lied or order.why]
    rows = [row for order in bad for row in order.witnesses]
    rows += [row for law in verdict.laws for row in law.witnesses]
    return (
        {order.order_class for order in bad},
        {law.law for law in verdict.laws if not law.held},
        {row.get("operation", row.get("table")) for row in rows},
    )


@styles
async def test_a_release_that_subtracts_is_found(carry_out, monkeypatch, style):
    def subtracts(stock, command):
        freed, decision = inventory.release(stock, command)
        less = replace(freed, free=stock.free - stock.reserved)
        return less, replace(decision, delta=less.free - stock.free)

    monkeypatch.setitem(inventory.RULES, ReleaseStock, subtracts)
    classes, laws, witnesses = _blamed((await carry_out("card_declined", style)).verdict)
    assert "half-done" in classes
    assert "stock is conserved" in laws
    assert {"ReleaseStock", "stock"} <= witnesses


@styles
async def test_a_refund_that_ignores_its_message_id_is_found(carry_out, monkeypatch, style):
    recall = ExactlyOnce.recall

    def forgets_refunds(self, tx, command):
        return None if command.name == "RefundPayment" else recall(self, tx, command)

    monkeypatch.setattr(ExactlyOnce, "recall", forgets_refunds)
    lost = {"orders": {"every": 2}, "operation": "RefundPayment", "moment": "answer.lost"}
    verdict = (await carry_out("undeliverable", style, faults=[lost])).verdict
    classes, laws, witnesses = _blamed(verdict)
    assert "duplicated" in classes
    assert "money is conserved" in laws
    assert "RefundPayment" in witnesses


@pytest.mark.parametrize("end", ["OrderCancelled", "OrderParked"])
async def test_a_charge_whose_catch_goes_straight_to_fail_is_found(carry_out, monkeypatch, end):
    def hasty(*arguments):
        definition = saga_definition(*arguments)
        definition["States"]["ChargePayment"]["Catch"][0]["Next"] = end
        return definition

    monkeypatch.setattr(orchestration_system, "saga_definition", hasty)
    classes, _, witnesses = _blamed((await carry_out("budget_spent", "orchestration")).verdict)
    assert "stuck" in classes
    assert {"PlaceOrder", "ReserveStock"} <= witnesses


async def test_a_missing_reaction_to_a_failed_payment_is_found(carry_out, monkeypatch):
    monkeypatch.delitem(reactions.INVENTORY_FIRST, PaymentFailed)
    """The saga deadline comes to the rescue, late; a law says that it should not have had to."""
    classes, laws, witnesses = _blamed((await carry_out("budget_spent", "choreography")).verdict)
    assert "late" in classes
    assert laws == {DROPPED}
    assert {"ChargePayment", "CancelShipment"} <= witnesses


async def test_a_missing_reaction_without_deadlines_leaves_orders_stuck(carry_out, monkeypatch):
    monkeypatch.delitem(reactions.INVENTORY_FIRST, StockRefused)
    verdict = (
        await carry_out("out_of_stock", "choreography", guards=Guards(timeouts=False))
    ).verdict
    classes, _, witnesses = _blamed(verdict)
    assert "stuck" in classes
    assert "ReserveStock" in witnesses


async def test_a_consumer_that_acks_before_its_commit_is_found(carry_out, monkeypatch):
    story = "crash_before_commit"
    handle = Consumer._handle

    async def hasty(self, delivery):
        await delivery.ack()
        await handle(self, delivery)

    monkeypatch.setattr(Consumer, "_handle", hasty)
    _, laws, witnesses = _blamed((await carry_out(story, "choreography")).verdict)
    assert laws == {DROPPED}
    assert "ReserveStock" in witnesses


async def test_an_event_published_before_its_commit_is_found(carry_out, monkeypatch):
    """The event is out, then the participant dies and, having acked, never takes the money."""
    once, handle, brokers = Participant._once, Consumer._handle, []

    async def publishes_first(self, command):
        if command.name == "ChargePayment":
            early = reply(PaymentCharged, command)
            await brokers[0].publish(envelope(early, source="payment", wall_s=1.0))
        return await once(self, command)

    async def acks_first(self, delivery):
        brokers.append(self._broker)
        await delivery.ack()
        await handle(self, delivery)

    monkeypatch.setattr(Participant, "_once", publishes_first)
    monkeypatch.setattr(Consumer, "_handle", acks_first)
    classes, laws, _ = _blamed((await carry_out("crash_before_commit", "choreography")).verdict)
    assert "half-done" in classes
    assert "money is conserved" in laws


async def test_a_relay_that_marks_before_it_publishes_is_found(carry_out, monkeypatch):
    unlucky = iter([False] * 20 + [True] + [False] * 10_000)
    publish = Relay._publish

    async def marks_first(self, row):
        if next(unlucky):
            await self._database.write(
                lambda tx: tx.run("UPDATE outbox SET published = 1 WHERE seq = ?", row.seq)
            )
            raise ParticipantCrashed("between mark and publish")
        await publish(self, row)

    monkeypatch.setattr(Relay, "_publish", marks_first)
    _, laws, _ = _blamed((await carry_out("happy_path", "choreography")).verdict)
    assert laws == {DROPPED}


@styles
async def test_a_skipped_inbox_is_found(carry_out, monkeypatch, style):
    monkeypatch.setattr(ExactlyOnce, "recall", lambda *_: None)
    classes, laws, witnesses = _blamed((await carry_out("delivered_twice", style)).verdict)
    assert "duplicated" in classes
    assert "money is conserved" in laws
    assert {"ReserveStock", "ChargePayment"} <= witnesses


@pytest.mark.long
async def test_an_order_that_the_broker_confirmed_and_lost_is_found(carry_out, monkeypatch):
    publish = MemoryBroker.publish

    async def forgetful(self, message):
        if message.message_id != "order-00004:PlaceOrder":
            await publish(self, message)

    monkeypatch.setattr(MemoryBroker, "publish", forgetful)
    verdict = (await carry_out("coordinator_killed", "choreography", least_time_scale=0.05)).verdict
    _blamed(verdict)
    assert verdict.orders[4].order_class == "stuck"
    assert "no participant has ever heard of it" in verdict.orders[4].why


@pytest.mark.long
async def test_an_order_that_the_engine_accepted_and_lost_is_found(carry_out, monkeypatch):
    start = ACTIONS["StartExecution"]

    async def forgetful(engine, parameters):
        if parameters["name"] == "order-00004":
            return {"executionArn": "arn:lost", "startDate": 0.0}
        return await start(engine, parameters)

    monkeypatch.setitem(ACTIONS, "StartExecution", forgetful)
    verdict = (
        await carry_out("coordinator_killed", "orchestration", least_time_scale=0.05)
    ).verdict
    _blamed(verdict)
    assert verdict.orders[4].order_class == "stuck"
