"""The exhibit: what it shows, claim by claim."""

from bench.exhibits.exhibit import CORRECTED, Claim, Exhibit
from bench.exhibits.files import Checked
from bench.exhibits.runs import Goes, Ran
from bench.exhibits.sweeps import SweptClean
from kernel.ledger import Effect
from scenarios.judge.rules import Rule

REACTING, CONDUCTED = ("choreography",), ("orchestration",)

EXHIBIT = Exhibit(
    name="charged-but-out-of-stock",
    title="Charged for what is not there",
    source="Rose: The Secret Life of AWS: The Saga Pattern (article)",
    correction="The card is charged first, the reservation that follows may say no, and that answer leads to a refund that gives back once what this order"
    " was charged, however often it is asked for.",
    claims=(
        Claim(
            name="charged-for-nothing",
            says="Payment and inventory hear the same event: when the item is out of stock the customer is charged all the same, and nobody refunds.",
            proofs=(
                Checked(says="nobody reacts to StockRefused;"),
                Ran(
                    scenario="out_of_stock",
                    rule=Rule.ENDS_OR_SHOWS,
                    done="ChargePayment",
                    never=("ReserveStock", "RefundPayment"),
                    styles=REACTING,
                ),
                Ran(
                    scenario="out_of_stock",
                    rule=Rule.PARKED_IN_PLACE,
                    done="ChargePayment",
                    never=("ReserveStock", "RefundPayment"),
                    styles=CONDUCTED,
                ),
            ),
        ),
        Claim(
            name="held-for-nobody",
            says="Nobody hears of a declined card either: goods are held for a customer who cannot pay.",
            proofs=(
                Checked(says="nobody reacts to PaymentDeclined;"),
                Ran(
                    scenario="card_declined",
                    rule=Rule.ENDS_OR_SHOWS,
                    done="ReserveStock",
                    never=("ChargePayment", "ReleaseStock"),
                    styles=REACTING,
                ),
                Ran(
                    scenario="card_declined",
                    rule=Rule.PARKED_IN_PLACE,
                    done="ReserveStock",
                    never=("ChargePayment", "ReleaseStock"),
                    styles=CONDUCTED,
                ),
            ),
        ),
        Claim(
            name="nobody-sees-it",
            says="Where services react, no operator sees that order: it is neither a dead letter nor a failed execution.",
            proofs=(
                Ran(
                    scenario="out_of_stock",
                    rule=Rule.ENDS_OR_SHOWS,
                    done="ChargePayment",
                    styles=REACTING,
                ),
            ),
            twin="A conductor that cannot go on is at least a failed execution, which somebody can list.",
        ),
        Claim(
            name="green-red-green",
            says="The audit picture of the correction is green, red, green: charged, refused, refunded, and the run is consistent.",
            proofs=(
                Goes(
                    scenario="out_of_stock",
                    path=(
                        ("ChargePayment", Effect.DONE),
                        ("ReserveStock", Effect.REFUSED),
                        ("RefundPayment", Effect.UNDONE),
                    ),
                ),
            ),
            about=CORRECTED,
        ),
        Claim(
            name="one-refund",
            says="A refund that is asked for twice, and whose first answer is lost, gives the money back once.",
            proofs=(
                Goes(
                    scenario="refund_asked_twice",
                    path=(
                        ("ChargePayment", Effect.DONE),
                        ("RefundPayment", Effect.UNDONE),
                    ),
                ),
            ),
            about=CORRECTED,
        ),
        Claim(
            name="corrected-is-sound",
            says="The corrected edition has nothing to mend, and is consistent under every single fault of the sweep.",
            proofs=(SweptClean(),),
            about=CORRECTED,
        ),
    ),
)
