"""For each rule of the judge a few ledger rows that break it: what docs/oracle.md shows. example_rows.py feeds them to the judge."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scenarios.judge.rules import Rule
from shared_domain.order.laws import CARD_LIMIT_CENTS, UNSERVED
from shared_domain.order.messages import Order

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
UNPAID: Row = ("payment", "RefundPayment", "tombstone", 0, "ShipmentCancelled")
REFUNDED: Row = ("payment", "RefundPayment", "undone", -PRICE, "ShipmentRefused")
RELEASED: Row = ("inventory", "ReleaseStock", "undone", 1, "PaymentRefunded")
CANCELLED: Row = ("order", "CancelOrder", "undone", 0, "StockReleased")
EXPIRED: Row = ("shipping", "CancelShipment", "tombstone", 0, "OrderExpired")
WENT_WELL = (PLACED, RESERVED, CHARGED, BOOKED, CONFIRMED)
_ABORTED: tuple[Row, ...] = (PLACED, RESERVED, EXPIRED, UNPAID, RELEASED, CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterExample:
    """What the ledgers of one order say, oldest row first, a second apart unless `lasts_s` says otherwise.

    `free`: the units that the stock row shows, where that is not what the ledger comes to; `charged`: likewise of the account. `parked`: the step at which it waits
    for an operator; `redriven`: who has sent it on in vain. `told`: what the customer was told last, if not the status.
    `recalled`: the answer that an inbox keeps, where it is not the ledger's. `tried`: how often the requests of a step came. `unreasonable`: what was refused had no reason to be.
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
    redriven: bool = False
    tried: Mapping[str, int] | None = None
    unreasonable: bool = False
    recalled: tuple[str, str] | None = None

    @property
    def order(self) -> Order:
        """What was ordered: something that is refused, where the rows have a refusal."""
        if self.unreasonable:
            return ORDER
        order = ORDER
        if DECLINED in self.rows:
            order = replace(order, amount_cents=CARD_LIMIT_CENTS + PRICE)
        return replace(order, destination=min(UNSERVED)) if REFUSED in self.rows else order


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
        rows=(
            PLACED, RESERVED, CHARGED, REFUSED,
            ("inventory", "ReleaseStock", "undone", 1, "ShipmentRefused"),
            ("payment", "RefundPayment", "undone", -PRICE, "StockReleased"),
            ("order", "CancelOrder", "undone", 0, "PaymentRefunded"),
        ),
        status="CANCELLED",
    ),
    CounterExample(
        rule=Rule.NOT_DROPPED,
        description="Nobody heard StockReserved. A minute later the saga deadline had the order undone, and all looked well.",
        rows=_ABORTED,
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
    CounterExample(
        rule=Rule.POSSIBLE,
        description="A refund was refused, and there is no such answer.",
        rows=(
            PLACED, RESERVED, CHARGED, REFUSED,
            ("payment", "RefundPayment", "refused", 0, "ShipmentRefused"),
        ),
        status="PENDING",
        parked="RefundPayment",
    ),
    CounterExample(
        rule=Rule.SIZE,
        description="One unit was ordered, two were held, and two are shown as sold.",
        rows=(PLACED, ("inventory", "ReserveStock", "done", -2, "OrderPlaced"), CHARGED, BOOKED, CONFIRMED),
        status="CONFIRMED",
    ),
    CounterExample(
        rule=Rule.REFUSED_RIGHTLY,
        description="A card was declined for five euros, though its limit is a thousand.",
        rows=(
            PLACED, RESERVED, DECLINED,
            ("inventory", "ReleaseStock", "undone", 1, "PaymentDeclined"), CANCELLED,
        ),
        status="CANCELLED",
        unreasonable=True,
    ),
    CounterExample(
        rule=Rule.CAUSED,
        description="The parcel was booked because of a payment that nobody made.",
        rows=(PLACED, RESERVED, BOOKED, CONFIRMED),
        status="CONFIRMED",
    ),
    CounterExample(
        rule=Rule.WHOLE_BUDGET,
        description="The charge failed once, and was given up; four attempts were promised.",
        rows=(
            PLACED, RESERVED, ("payment", "ChargePayment", "gave up", 0, "StockReserved"),
            ("payment", "RefundPayment", "tombstone", 0, "PaymentFailed"), RELEASED, CANCELLED,
        ),
        status="CANCELLED",
        tried={"ChargePayment": 1},
    ),
    CounterExample(
        rule=Rule.FOR_A_REASON,
        description="A reservation that went well was taken back, and nobody had refused anything.",
        rows=(
            PLACED, RESERVED, ("inventory", "ReleaseStock", "undone", 1, "StockReserved"), CANCELLED,
        ),
        status="CANCELLED",
    ),
    CounterExample(
        rule=Rule.DEADLINE,
        description="Five seconds after it was placed an order was undone for being open for more than sixty.",
        rows=_ABORTED,
        status="CANCELLED",
    ),
    CounterExample(
        rule=Rule.ANSWERS,
        description="The charge was entered as done, but whoever asks again gets the answer that it was declined.",
        rows=WENT_WELL,
        status="CONFIRMED",
        recalled=("ChargePayment", "PaymentDeclined"),
    ),
    CounterExample(
        rule=Rule.PARKED_ONCE,
        description="A refund was parked, and another copy of its message paid it all the same.",
        rows=(PLACED, RESERVED, CHARGED, REFUSED, REFUNDED),
        status="PENDING",
        parked="RefundPayment",
    ),
    CounterExample(
        rule=Rule.NO_MORE,
        description="Nothing failed, and the card was asked for the money three times.",
        rows=WENT_WELL,
        status="CONFIRMED",
        tried={"ReserveStock": 1, "ChargePayment": 3, "BookShipment": 1, "ConfirmOrder": 1},
    ),
    CounterExample(
        rule=Rule.RESUMABLE,
        description="A refund was parked. When payment worked again an operator sent it on, and it was parked again.",
        rows=(PLACED, RESERVED, CHARGED, REFUSED),
        status="PENDING",
        parked="RefundPayment",
        redriven=True,
    ),
]  # fmt: skip
