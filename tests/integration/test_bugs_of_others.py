"""Bugs that somebody else thought of, as real services have them: exploration finds each within 3,000 schedules."""

import zlib
from contextlib import ExitStack
from dataclasses import replace

import pytest

from choreography.cloud_events import envelope, publish
from choreography.consumer import Consumer
from choreography.relay import Relay
from choreography.system import ChoreographedSystem
from kernel import orders
from kernel.errors import Failure
from kernel.ledger import Decision, Effect
from orchestration.system import OrchestratedSystem
from scenarios.campaigns.simulation.schedule import Space
from scenarios.campaigns.simulation.shrink import look
from scenarios.campaigns.simulation.simulated import without_collector
from scenarios.catalog.bug import entry, replaced
from scenarios.catalog.planting import machine, together
from shared_domain.order.messages import ChargePayment, ReserveStock, StockRefused
from shared_domain.order.participants import inventory, payment, shipping

WITHIN = 3_000
BOTH = ("choreography", "orchestration")
_after_failure = Consumer._after_failure
_save_stock, _load_stock, _save_payment = inventory.save, inventory.load, payment.save


def _one_unit(stock, command):
    held, decision = inventory.reserve(stock, command)
    if decision.effect is not Effect.DONE:
        return held, decision
    one = replace(stock, free=stock.free - 1, reserved=stock.reserved + 1)
    return one, replace(decision, delta=-1)


def _to_another_item(tx, stock, command, *, wall_s):
    if command.name == "ReleaseStock" and stock.released:
        sql = "UPDATE stock SET free = free + ? WHERE item = (SELECT min(item) FROM stock WHERE item != ?)"
        tx.run(sql, stock.released, stock.item)
        stock = replace(stock, free=stock.free - stock.released)
    _save_stock(tx, stock, command, wall_s=wall_s)


def _of_another_order(tx, stock, command, *, wall_s):
    _save_stock(tx, stock, command, wall_s=wall_s)
    if command.name == "ReleaseStock" and stock.released:
        tx.run("UPDATE reservations SET released = 0 WHERE order_id = ?", stock.order_id)
        tx.run(
            "UPDATE reservations SET released = reserved WHERE order_id = (SELECT max(order_id) FROM reservations)"
        )


def _by_prefix(tx, command, *, tombstoned):
    found = _load_stock(tx, command, tombstoned=tombstoned)
    sql = "SELECT reserved, released FROM reservations WHERE order_id LIKE ? || '%'"
    row = tx.one(sql, command.order_id)
    return replace(found, **row) if row else found


def _cut(account, command):
    charged, decision = payment.charge(account, command)
    if decision.effect is not Effect.DONE:
        return charged, decision
    cents = min(command.order.amount_cents, 32_767)
    return replace(account, charged_cents=cents), replace(decision, delta=cents)


def _one_in_hundreds(account, command):
    charged, decision = payment.charge(account, command)
    if decision.effect is Effect.DONE and zlib.crc32(command.order_id.encode()) % 300 == 7:
        return account, replace(decision, delta=0)
    return charged, decision


def _overwritten(tx, account, command, *, wall_s):
    _save_payment(tx, account, command, wall_s=wall_s)
    if account.refunded_cents:
        sql = "UPDATE payments SET charged_cents = 0, refunded_cents = 0 WHERE order_id = ?"
        tx.run(sql, account.order_id)


def _twice_and_voided(tx, account, command, *, wall_s):
    if command.name == "ChargePayment" and account.charged_cents:
        account = replace(
            account, charged_cents=2 * account.charged_cents, refunded_cents=account.charged_cents
        )
    _save_payment(tx, account, command, wall_s=wall_s)


def _never_the_last(stock, command):
    if stock.free <= command.order.quantity:
        return stock, Decision(answer=StockRefused, effect=Effect.REFUSED, reason="none left")
    return inventory.reserve(stock, command)


def _shown(show):
    """What customers are shown, in both styles."""
    plants = []
    for style in (ChoreographedSystem, OrchestratedSystem):
        told = style.outcome

        async def outcome(self, order_id, told=told):
            return show(order_id, await told(self, order_id))

        plants.append(replaced(style, "outcome", outcome))
    return together(*plants)


def _never_retried(*operations):
    async def fails(self, delivery, command, failure):
        if not operations or command.name in operations:
            await self._finally(delivery, command, "retry budget spent", failure)
        else:
            await _after_failure(self, delivery, command, failure)

    def change(states):
        for operation in operations:
            del states[operation]["Retry"]

    return together(replaced(Consumer, "_after_failure", fails), machine(change))


async def _drops_what_failed(self, row):
    message = envelope(row.event, source=self._name, wall_s=row.wall_s)
    try:
        await publish(self._broker, message, self._tracer, service=self._name)
    except Failure:
        return


def _without(state, *fields):
    def change(states):
        for part in (states[state], *states[state].get("Catch", ())):
            for field in fields:
                part.pop(field, None)

    return machine(change)


def _pays_whatever_is_said(states):
    states["PaymentAnswer"]["Default"] = "BookShipment"


BUGS = {
    "one unit is held whatever the quantity": (entry(inventory.RULES, ReserveStock, _one_unit), BOTH),
    "units are given back to another item": (replaced(inventory, "save", _to_another_item), BOTH),
    "another order's hold is released": (replaced(inventory, "save", _of_another_order), BOTH),
    "a hold is found by the beginning of an id": (replaced(inventory, "load", _by_prefix), BOTH),
    "the last unit is never sold": (entry(inventory.RULES, ReserveStock, _never_the_last), BOTH),
    "an amount is cut at 32,767": (entry(payment.RULES, ChargePayment, _cut), BOTH),
    "one order in hundreds is not charged": (entry(payment.RULES, ChargePayment, _one_in_hundreds), BOTH),
    "a refund overwrites the charge": (replaced(payment, "save", _overwritten), BOTH),
    "charged twice and voided once": (replaced(payment, "save", _twice_and_voided), BOTH),
    "cards have no limit": (replaced(payment, "CARD_LIMIT_CENTS", 10**9), BOTH),
    "parcels go where nobody delivers": (replaced(shipping, "UNSERVED", frozenset()), BOTH),
    "one customer in ten sees CONFIRMED at once": (
        _shown(lambda o, s: "CONFIRMED" if s == "PENDING" and zlib.crc32(o.encode()) % 10 == 0 else s), BOTH,
    ),
    "everybody sees PENDING for ever": (_shown(lambda o, s: "PENDING"), BOTH),
    "a refund is never retried": (_never_retried("RefundPayment"), BOTH),
    "a confirmation is never retried": (_never_retried("ConfirmOrder"), BOTH),
    "nothing is ever retried": (_never_retried(), ("choreography",)),
    "no deadline ever fires": (replaced(orders, "expire", lambda tx, **_: []), ("choreography",)),
    "the relay drops what failed": (replaced(Relay, "_publish", _drops_what_failed), ("choreography",)),
    "a Catch without ResultPath": (_without("ChargePayment", "ResultPath"), ("orchestration",)),
    "a refund without ResultPath": (_without("RefundPayment", "ResultPath", "ResultSelector"), ("orchestration",)),
    "any odd answer is taken for paid": (machine(_pays_whatever_is_said), ("orchestration",)),
}  # fmt: skip


RARE = {"one order in hundreds is not charged", "a refund is never retried"}


@pytest.mark.parametrize(
    ("bug", "style"),
    [
        pytest.param(bug, style, marks=pytest.mark.long if bug in RARE else pytest.mark.slow)
        for bug, (_, styles) in BUGS.items()
        for style in styles
    ],
)
def test_a_bug_that_was_not_made_for_the_judge_is_found(bug, style):
    space = Space(styles=[style], faults=(0, 4), seed=5, variants=["inventory-first"])
    with ExitStack() as stack, without_collector():
        BUGS[bug][0](stack)
        assert any(look(space.schedule(number)) for number in range(WITHIN))
