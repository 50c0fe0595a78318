"""The exhibit: what it shows, claim by claim."""

from bench.exhibits.exhibit import CORRECTED, DESCRIBED, EDITIONS, Claim, Exhibit
from bench.exhibits.files import Checked, Refused
from bench.exhibits.runs import Ran
from bench.exhibits.sweeps import Swept, SweptClean
from scenarios.faults.plan import Moment
from scenarios.judge.rules import Rule

CONDUCTED = ("orchestration",)
PRINTED = "printed"
NO_EXECUTION = (
    "A choreography has no execution, so nothing can succeed while the order is cancelled."
)

EXHIBIT = Exhibit(
    name="order-pay-first",
    title="Payment before inventory, and a Catch at each task",
    source="How can a service like AWS Step Functions be used to implement an orchestration-based Saga pattern? (article, 2025)",
    correction="A refusal is chosen and leads to the compensation of the step before, an error is caught and leads to that of its own step, compensations"
    " retry and check their own rows, results stand beside the order, and a compensated order ends in a Fail state.",
    editions={PRINTED: "the page as it is printed", **EDITIONS},
    claims=(
        Claim(
            name="page-is-no-json",
            says="The page as printed has comments and is refused before it runs, with the file and the line.",
            proofs=(
                Refused(
                    edition=PRINTED,
                    described=DESCRIBED,
                    says=r"printed/order_saga\.asl\.json:5: not JSON",
                ),
            ),
        ),
        Claim(
            name="results-replace-input",
            says="Task results replace the input: after the first step no state knows the order, and every saga stops at the second.",
            proofs=(
                Checked(says=r"ChargePayment cannot work on what it is given: .*\$\.order"),
                Ran(
                    scenario="happy_path",
                    variant="results-replace-input",
                    rule=Rule.WHOLE_BUDGET,
                    why="PlaceOrder was given up after 1 of 4 attempts",
                    styles=CONDUCTED,
                ),
            ),
            twin="Every event carries its order, so a choreography has no state to lose.",
        ),
        Claim(
            name="undoes-the-failed-step",
            says="It compensates the step that failed: goods that were never reserved are released, and the shelf gains what it never had.",
            proofs=(
                Checked(says="ReserveStock answered StockRefused leads to ReleaseStock"),
                Checked(says=r"ReleaseStock before ReserveStock changes \+1"),
                Ran(
                    scenario="out_of_stock",
                    rule=Rule.ENDED_IS_CLEAN,
                    why="inventory stands at 1 instead of 0",
                ),
            ),
        ),
        Claim(
            name="unships-without-a-shipment",
            says="An address that nobody serves is answered by cancelling a shipment that was never booked.",
            proofs=(
                Checked(says="BookShipment answered ShipmentRefused leads to CancelShipment"),
                Ran(
                    scenario="undeliverable",
                    rule=Rule.REFUSED_IS_DONE,
                    why="CancelShipment because BookShipment was refused",
                ),
            ),
        ),
        Claim(
            name="either-step-order",
            says="Neither step order helps: with the stock before the payment a declined card is answered by a refund.",
            proofs=(
                Ran(
                    scenario="card_declined",
                    variant="inventory-first",
                    rule=Rule.REFUSED_IS_DONE,
                    why="RefundPayment because ChargePayment was refused",
                ),
            ),
        ),
        Claim(
            name="undo-is-not-retried",
            says="No compensation retries: a refund that fails once leaves the money where it is, and stops the chain.",
            proofs=(
                Checked(says="RefundPayment has no Retry"),
                Ran(
                    scenario="refund_flaky",
                    rule=Rule.WHOLE_BUDGET,
                    why="RefundPayment was given up after 1 of 4 attempts",
                    styles=CONDUCTED,
                ),
            ),
            twin="The retries of a choreography are the queue's, not the page's: without the guard `compensation_retries` it would be the same.",
        ),
        Claim(
            name="undone-is-a-success",
            says="A compensated run ends as a success: the execution says SUCCEEDED, and the customer has no order.",
            proofs=(
                Checked(says="CancelOrder, done, ends as CONFIRMED"),
                Ran(
                    scenario="card_declined",
                    rule=Rule.TOLD_THE_TRUTH,
                    why="the customer was told CONFIRMED, the order is CANCELLED",
                    styles=CONDUCTED,
                ),
            ),
            twin=NO_EXECUTION,
        ),
        Claim(
            name="parcel-of-a-cancelled-order",
            says="A booking whose answer is lost for good sends a parcel for an order that is cancelled and refunded.",
            proofs=(
                Swept(
                    operation="BookShipment",
                    moment=Moment.ANSWER_LOST,
                    rule=Rule.ONLY_FORWARD,
                    styles=CONDUCTED,
                ),
            ),
            twin="A lost answer is an announcement that is published again: it arrives, late.",
        ),
        Claim(
            name="corrected-is-sound",
            says="The corrected edition has nothing to mend, and is consistent under every single fault of the sweep.",
            proofs=(SweptClean(), SweptClean(variant="inventory-first")),
            about=CORRECTED,
        ),
    ),
)
