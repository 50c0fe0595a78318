"""For each rule of the judge a few ledger rows that break it: what docs/oracle.md shows, and what a test feeds to the judge."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kernel.policy import Policy
from kernel.ports import Ledgers, Parked
from scenarios.judge.judgement import judge
from scenarios.judge.oracle import Asked
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import OrderClass, Verdict
from scenarios.runs.scenario import Scenario
from shared_domain.order.messages import Order
from shared_domain.order.saga import SAGA

ORDER_ID, ITEM, PRICE = "o1", "book", 500
ORDER = Order(
    order_id=ORDER_ID, customer="ada", item=ITEM, quantity=1, amount_cents=PRICE, destination="Oslo"
)
Row = tuple[str, str, str, int, str]
"""(participant, operation, effect, change, caused by: the name of the event that led to it)."""

PLACED: Row = ("order", "PlaceOrder", "done", 0, "customer")
RESERVED: Row = ("inventory", "ReserveStock", "done", -1, "OrderPlaced")
CHARGED: Row = ("payment", "ChargePayment", "done", PRICE, "StockReserved")
DECLINED: Row = ("payment", "ChargePayment", "refused", 0, "StockReserved")
BOOKED: Row = ("shipping", "BookShipment", "done", 1, "PaymentCharged")
REFUSED: Row = ("shipping", "BookShipment", "refused", 0, "PaymentCharged")
CONFIRMED: Row = ("order", "ConfirmOrder", "done", 0, "ShipmentBooked")
REFUNDED: Row = ("payment", "RefundPayment", "undone", -PRICE, "ShipmentRefused")
RELEASED: Row = ("inventory", "ReleaseStock", "undone", 1, "PaymentRefunded")
CANCELLED: Row = ("order", "CancelOrder", "undone", 0, "StockReleased")
EXPIRED: Row = ("shipping", "CancelShipment", "tombstone", 0, "OrderExpired")
WENT_WELL = (PLACED, RESERVED, CHARGED, BOOKED, CONFIRMED)
_ANSWERS = {"ChargePayment": "PaymentDeclined", "BookShipment": "ShipmentRefused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterExample:
    """What the ledgers of one order say, oldest row first, a second apart unless `lasts_s` says otherwise.

    `free`: the units that the stock row shows, where that is not what the ledger comes to; `charged`: likewise of the account. `parked`: the step at which it waits
    for an operator. `told`: what the customer was told last, if not the status.
    """

    rule: Rule
    description: str
    rows: tuple[Row, ...]
    status: str
    told: str = ""
    parked: str = ""
    free: int | None = None
    initial: int = 10
    charged: int | None = None
    stranger: str = ""
    lasts_s: float | None = None


EXAMPLES = [
    CounterExample(
        rule=Rule.ONCE,
        description="The charge was delivered twice, and acted twice.",
        rows=(PLACED, RESERVED, CHARGED, CHARGED, BOOKED, CONFIRMED),
        status="CONFIRMED",
    ),
    CounterExample(
        rule=Rule.UNDONE_ONCE,
        description="The refund's answer was lost, and it was paid again.",
        rows=(PLACED, RESERVED, CHARGED, REFUSED, REFUNDED, REFUNDED, RELEASED, CANCELLED),
        status="CANCELLED",
    ),
    CounterExample(
        rule=Rule.CONFIRMED_IS_WHOLE,
        description="A declined payment was taken for paid.",
        rows=(PLACED, RESERVED, DECLINED, BOOKED, CONFIRMED),
        status="CONFIRMED",
    ),
    CounterExample(
        rule=Rule.ENDED_IS_CLEAN,
        description="A refused shipment cancelled the order, and nobody refunded the money.",
        rows=(PLACED, RESERVED, CHARGED, REFUSED, RELEASED, CANCELLED),
        status="CANCELLED",
    ),
    CounterExample(
        rule=Rule.ENDED_BY_A_ROW,
        description="The status was set, and nobody wrote down why.",
        rows=(PLACED, RESERVED, CHARGED, BOOKED),
        status="CONFIRMED",
    ),
    CounterExample(
        rule=Rule.ENDS_OR_SHOWS,
        description="The answer to the reservation was lost, and nobody asked again.",
        rows=(PLACED, RESERVED),
        status="PENDING",
    ),
    CounterExample(
        rule=Rule.PARKED_IN_PLACE,
        description="The charge failed for good and failed the execution: the stock stays reserved.",
        rows=(PLACED, RESERVED),
        status="PENDING",
        parked="ChargePayment",
    ),
    CounterExample(
        rule=Rule.TOLD_THE_TRUTH,
        description="The customer was told CONFIRMED before shipping refused.",
        rows=(PLACED, RESERVED, CHARGED, REFUSED, REFUNDED, RELEASED, CANCELLED),
        status="CANCELLED",
        told="CONFIRMED",
    ),
    CounterExample(
        rule=Rule.MONEY,
        description="The refund kept a tenth of the price.",
        rows=(
            PLACED, RESERVED, CHARGED, REFUSED,
            ("payment", "RefundPayment", "undone", -450, "ShipmentRefused"), RELEASED, CANCELLED,
        ),
        status="CANCELLED",
    ),
    CounterExample(
        rule=Rule.STOCK,
        description="Two sagas read the same stock, and the second one overwrote what the first had written.",
        rows=WENT_WELL,
        status="CONFIRMED",
        free=10,
    ),
    CounterExample(
        rule=Rule.NOT_OVERSOLD,
        description="The last unit had gone, and one more was sold.",
        rows=WENT_WELL,
        status="CONFIRMED",
        initial=0,
    ),
    CounterExample(
        rule=Rule.STEP_ORDER,
        description="The parcel was booked before anybody paid for it; then the customer did pay.",
        rows=(
            PLACED, RESERVED, ("shipping", "BookShipment", "done", 1, "StockReserved"),
            ("payment", "ChargePayment", "done", PRICE, "ShipmentBooked"), CONFIRMED,
        ),
        status="CONFIRMED",
    ),
    CounterExample(
        rule=Rule.ONLY_FORWARD,
        description="The confirmation took too long, and the booked parcel was called back.",
        rows=(
            PLACED, RESERVED, CHARGED, BOOKED,
            ("shipping", "CancelShipment", "undone", -1, "OrderExpired"),
            ("payment", "RefundPayment", "undone", -PRICE, "ShipmentCancelled"), RELEASED, CANCELLED,
        ),
        status="CANCELLED",
    ),
    CounterExample(
        rule=Rule.CAUSE,
        description="The refund came first and left no tombstone; then the charge came.",
        rows=(PLACED, RESERVED, REFUNDED, CHARGED, REFUSED, RELEASED, CANCELLED),
        status="CANCELLED",
    ),
    CounterExample(
        rule=Rule.REFUSED_IS_DONE,
        description="A declined payment was refunded. Nothing came of it, since there was nothing to refund; with another"
        " payment service there might.",
        rows=(
            PLACED, RESERVED, DECLINED,
            ("payment", "RefundPayment", "tombstone", 0, "PaymentDeclined"), RELEASED, CANCELLED,
        ),
        status="CANCELLED",
    ),
    CounterExample(
        rule=Rule.REVERSE,
        description="The stock was released, and could be sold again, before the money was refunded.",
        rows=(PLACED, RESERVED, CHARGED, REFUSED, RELEASED, REFUNDED, CANCELLED),
        status="CANCELLED",
    ),
    CounterExample(
        rule=Rule.NOT_DROPPED,
        description="Nobody heard StockReserved. Half a minute of silence later the saga deadline had the order undone.",
        rows=(PLACED, RESERVED, EXPIRED, RELEASED, CANCELLED),
        status="CANCELLED",
        lasts_s=120,
    ),
    CounterExample(
        rule=Rule.ROWS_AGREE,
        description="The account was changed, and the ledger knows nothing of it.",
        rows=WENT_WELL,
        status="CONFIRMED",
        charged=3 * PRICE,
    ),
    CounterExample(
        rule=Rule.NOBODY_ELSE,
        description="A charge was entered under the name of an order that does not exist.",
        rows=WENT_WELL,
        status="CONFIRMED",
        stranger="o2",
    ),
]  # fmt: skip


def judged(example: CounterExample) -> Verdict:
    """The verdict on a counter-example: one order for one book at 500 cents, ten books in stock."""
    status = example.status
    asked = Asked(
        order=ORDER, accepted=True,
        told=("PENDING", example.told or status), intended_mono_s=100, accepted_mono_s=100,
    )  # fmt: skip
    waiting = [
        Parked(order_id=ORDER_ID, operation=step, where="failed execution", why="budget spent")
        for step in (example.parked,)
        if step
    ]
    anything = Scenario(name="example", expects=lambda i: frozenset(OrderClass))
    return judge(
        saga=SAGA,
        variant=SAGA.variant,
        scenario=anything,
        asked=[asked],
        ledgers=ledgers_of(example),
        parked=waiting,
        injections=(),
        policy=Policy(),
        run_ended_mono_s=1_000,
    )


def ledgers_of(example: CounterExample) -> Ledgers:
    """The four participants' rows."""
    ledgers: dict[str, dict[str, list[dict[str, Any]]]] = {
        name: {"ledger": []} for name in ("order", "inventory", "payment", "shipping")
    }
    apart_s = (example.lasts_s or len(example.rows) - 1) / max(1, len(example.rows) - 1)
    for seq, (participant, operation, effect, delta, caused_by) in enumerate(example.rows):
        ledgers[participant]["ledger"].append(
            _row(seq, ORDER_ID, operation, effect, delta, caused_by, 100 + apart_s * seq)
        )
    net = _net(example.rows)
    ledgers["order"]["orders"] = [{"order_id": ORDER_ID, "status": example.status}]
    done = Counter((operation, effect) for _, operation, effect, _, _ in example.rows)
    free = example.initial + net["inventory"] if example.free is None else example.free
    ledgers["inventory"]["stock"] = [{"item": ITEM, "initial": example.initial, "free": free}]
    ledgers["inventory"]["reservations"] = [
        {
            "order_id": ORDER_ID,
            "item": ITEM,
            "reserved": done["ReserveStock", "done"],
            "released": done["ReleaseStock", "undone"],
        }
    ]
    charged = net["payment"] if example.charged is None else example.charged
    ledgers["payment"]["payments"] = [
        {"order_id": ORDER_ID, "charged_cents": charged, "refunded_cents": 0}
    ]
    ledgers["shipping"]["shipments"] = [{"order_id": ORDER_ID, "booked": net["shipping"]}]
    if example.stranger:
        row = _row(99, example.stranger, "ChargePayment", "done", PRICE, "StockReserved", 101.5)
        ledgers["payment"]["ledger"].append(row)
        ledgers["payment"]["payments"].append(
            {"order_id": example.stranger, "charged_cents": PRICE, "refunded_cents": 0}
        )
    return ledgers


def _net(rows: Sequence[Row]) -> Counter[str]:
    net: Counter[str] = Counter()
    for participant, _, _, delta, _ in rows:
        net[participant] += delta
    return net


def _row(
    seq: int, order_id: str, operation: str, effect: str, delta: int, caused_by: str, mono_s: float
) -> dict[str, Any]:
    return {
        "seq": seq,
        "order_id": order_id,
        "operation": operation,
        "effect": effect,
        "delta": delta,
        "answer": _ANSWERS.get(operation, ""),
        "message_id": f"{order_id}:{operation}",
        "caused_by": f"{order_id}:{caused_by}",
        "mono_s": mono_s,
    }
