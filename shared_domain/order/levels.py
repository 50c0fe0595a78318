"""The levels of `saga play` for the order saga: for each safeguard, what goes wrong without it. levels.json beside it has the pars."""

from collections.abc import Callable

from kernel.orders import CANCELLED, CONFIRMED
from scenarios.campaigns.play.facts import Facts
from scenarios.campaigns.play.level import Level
from scenarios.judge.verdict import OrderClass

CHOREOGRAPHY = ("choreography",)


def _twice(operation: str) -> Callable[[Facts], bool]:
    return lambda order: order.done(operation) > 1


def _waits_for_an_operator_at(operation: str) -> Callable[[Facts], bool]:
    return lambda order: order.parked_at == operation


def _stuck(order: Facts) -> bool:
    return order.order_class == OrderClass.STUCK


def _half_done(order: Facts, status: str) -> bool:
    return order.order_class == OrderClass.HALF_DONE and order.status == status


LEVELS = (
    Level(
        name="paid-twice",
        title="Paid twice",
        guard="inbox",
        goal="make the customer pay twice for one order",
        reached=_twice("ChargePayment"),
        lesson="Whoever gets no answer asks again. Without an inbox, asking again is charging again.",
    ),
    Level(
        name="two-parcels",
        title="Two parcels",
        guard="inbox",
        goal="have two parcels sent for one order",
        reached=_twice("BookShipment"),
        lesson="Every service needs its inbox, not only the one that handles money.",
    ),
    Level(
        name="two-off-the-shelf",
        title="Two off the shelf",
        guard="inbox",
        goal="have the goods of one order reserved twice",
        reached=_twice("ReserveStock"),
        lesson="A repeated event repeats everything that follows from it; a repeated call repeats one step.",
    ),
    Level(
        name="refunded-twice",
        title="The generous shop",
        guard="inbox",
        refused="BookShipment",
        goal="have one payment refunded twice",
        reached=_twice("RefundPayment"),
        lesson="Compensations are messages like any other: they come twice, too.",
    ),
    Level(
        name="lost-in-between",
        title="Committed, never announced",
        guard="outbox",
        refused="BookShipment",
        styles=CHOREOGRAPHY,
        goal="leave the order open for ever, with nobody who can see it",
        reached=_stuck,
        lesson="Between a commit and the publish after it a service can die. The outbox makes both one transaction.",
    ),
    Level(
        name="sent-and-forgotten",
        title="Sent and forgotten",
        guard="confirms",
        refused="BookShipment",
        styles=CHOREOGRAPHY,
        goal="leave the order open for ever, with nobody who can see it",
        reached=_stuck,
        lesson="A broker that dies loses what it had not stored. Only a confirm says that it has.",
    ),
    Level(
        name="dropped",
        title="Dropped without a word",
        guard="dead_letters",
        refused="BookShipment",
        styles=CHOREOGRAPHY,
        goal="leave the order open for ever, with nobody who can see it",
        reached=_stuck,
        lesson="What cannot be handled must lie somewhere where an operator looks.",
    ),
    Level(
        name="silence",
        title="The silent service",
        guard="timeouts",
        goal="leave the order open for ever, with nobody who can see it",
        reached=_stuck,
        lesson="A service that never answers raises no error. Only a deadline notices silence.",
    ),
    Level(
        name="one-hiccup",
        title="One hiccup",
        guard="retries",
        harm=False,
        goal="send the parcel, but leave ConfirmOrder to an operator",
        reached=_waits_for_an_operator_at("ConfirmOrder"),
        lesson="Past the pivot a saga can only go forward, so one failure must not be the last word.",
    ),
    Level(
        name="refund-tried-once",
        title="The refund that was tried once",
        guard="compensation_retries",
        refused="BookShipment",
        harm=False,
        goal="leave RefundPayment to an operator, while the shop keeps the money",
        reached=_waits_for_an_operator_at("RefundPayment"),
        lesson="A compensation has nowhere else to go: it needs more patience than a step, not less.",
    ),
    Level(
        name="cancelled-and-paid",
        title="Cancelled, and paid all the same",
        guard="tombstones",
        styles=CHOREOGRAPHY,
        goal="have the order cancelled while the customer's money is gone",
        reached=lambda order: _half_done(order, CANCELLED) and order.net("payment") > 0,
        lesson="A request that is overtaken by its own cancellation must find a tombstone.",
    ),
    Level(
        name="parcel-for-nobody",
        title="A parcel for nobody",
        guard="tombstones",
        also_off=("retries",),
        goal="have the order cancelled while a parcel is on its way",
        reached=lambda order: _half_done(order, CANCELLED) and order.net("shipping") > 0,
        lesson="A conductor that stops waiting does not stop the request that it sent.",
    ),
    Level(
        name="goods-for-free",
        title="Goods for free",
        guard="tombstones",
        styles=CHOREOGRAPHY,
        goal="have the order confirmed though the customer has paid nothing",
        reached=lambda order: _half_done(order, CONFIRMED) and order.net("payment") == 0,
        lesson="Two chains of one order, one forward and one back, can both reach their end.",
    ),
    Level(
        name="still-reserved",
        title="Still on the shelf",
        guard="tombstones",
        variant="parallel",
        refused="ChargePayment",
        styles=CHOREOGRAPHY,
        goal="have the order cancelled while its goods stay reserved",
        reached=lambda order: _half_done(order, CANCELLED) and order.net("inventory") < 0,
        lesson="Steps at the same time: one can be undone before it has begun.",
    ),
    Level(
        name="told-too-early",
        title="Told too early",
        guard="semantic_lock",
        goal="tell the customer CONFIRMED, and have the order cancelled",
        reached=lambda order: order.lied and order.status == CANCELLED,
        lesson="PENDING is no weakness: it is the only honest word while a saga can still turn back.",
    ),
    Level(
        name="naive",
        title="As most tutorials have it",
        guard="none",
        goal="make the customer pay twice, and send no parcel",
        reached=lambda order: (
            order.over and order.done("ChargePayment") > 1 and order.net("shipping") == 0
        ),
        lesson="Each safeguard closes one hole. Without any, somebody finds the one that is left.",
    ),
)
