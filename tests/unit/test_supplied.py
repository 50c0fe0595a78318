"""A saga's folder may supply its own inbox and outbox; one that does not has the kernel's, and nothing else."""

import sqlite3
from types import SimpleNamespace

import pytest

from kernel import inbox, ledger, outbox, parked
from kernel.clock import SystemClock
from kernel.database import Transaction
from kernel.errors import StillParked
from kernel.guards import Guards
from kernel.inbox import Inbox
from kernel.ledger import Decision, Effect, Ledger
from kernel.outbox import Outbox
from kernel.supplied import open_inbox, open_outbox
from shared_domain.order.messages import ChargePayment, PaymentCharged
from shared_domain.order.saga import SAGA
from tests.samples import ORDER

CODEC, CLOCK = SAGA.codec, SystemClock()
COMMAND = ChargePayment(order=ORDER, caused_by="x")
DECISION = Decision(answer=PaymentCharged, effect=Effect.DONE, delta=1)


@pytest.fixture
def tx():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(ledger.SCHEMA + inbox.SCHEMA + outbox.SCHEMA + parked.SCHEMA)
    yield Transaction(connection)
    connection.close()


def own_inbox():
    kept = {}
    return SimpleNamespace(
        SCHEMA="",
        recall=lambda tx, command: kept.get(command.message_id),
        remember=lambda tx, command, answer: kept.update({command.message_id: answer}),
    )


def own_outbox():
    kept = {}
    return SimpleNamespace(
        SCHEMA="",
        put=lambda tx, message_id, message: kept.update({message_id: message}),
        waiting=lambda tx: list(kept.values()),
        published=lambda tx, message_id: kept.pop(message_id),
    )


def inbox_of(own, guards=None):
    guards = guards or Guards.all()
    box = Outbox(codec=CODEC, guards=guards, clock=CLOCK)
    return open_inbox(own, codec=CODEC, guards=guards, ledger=Ledger(CLOCK), outbox=box)


def test_a_saga_that_supplies_none_has_the_kernels():
    assert type(inbox_of(None)) is Inbox
    assert type(open_outbox(None, codec=CODEC, guards=Guards.all(), clock=CLOCK)) is Outbox
    assert SAGA.supplies == ()


def test_a_supplied_inbox_is_asked_and_told_and_the_kernels_table_is_evidence_only(tx):
    box = inbox_of(own_inbox())
    assert box.recall(tx, COMMAND) is None
    answer = box.remember(tx, COMMAND, DECISION)
    assert box.recall(tx, COMMAND) == answer
    assert len(tx.all("SELECT * FROM inbox")) == 1
    assert inbox_of(own_inbox()).recall(tx, COMMAND) is None


def test_a_supplied_inbox_is_not_asked_without_the_guard(tx):
    box = inbox_of(own_inbox(), Guards.parse("-inbox"))
    box.remember(tx, COMMAND, DECISION)
    assert box.recall(tx, COMMAND) is None


def test_a_supplied_inbox_does_not_wake_what_is_parked(tx):
    box = inbox_of(own_inbox())
    parked.park(tx, COMMAND, "budget spent")
    with pytest.raises(StillParked):
        box.recall(tx, COMMAND)


def test_a_supplied_outbox_keeps_what_it_was_given_until_it_is_published(tx):
    box = open_outbox(own_outbox(), codec=CODEC, guards=Guards.all(), clock=CLOCK)
    event = PaymentCharged(order=ORDER, caused_by="x")
    box.enqueue(tx, event)
    (announced,) = tx.facts
    assert announced.pause_s > 0, "a process can die between its commit and its message"
    (left,) = box.left_behind(tx)
    assert (left.event, left.seq, left.pause_s) == (event, event.message_id, 0)
    assert box.unpublished(tx) == 1
    box.mark_published(tx, [left.seq])
    assert box.unpublished(tx) == 0


def test_a_supplied_outbox_is_not_asked_without_the_guard(tx):
    box = open_outbox(own_outbox(), codec=CODEC, guards=Guards.parse("-outbox"), clock=CLOCK)
    box.enqueue(tx, PaymentCharged(order=ORDER, caused_by="x"))
    assert (box.left_behind(tx), tx.facts) == ([], [])
