"""The exhibit: what it shows, claim by claim."""

from bench.exhibits.exhibit import CORRECTED, Claim, Exhibit
from bench.exhibits.files import Checked
from bench.exhibits.runs import Ran
from bench.exhibits.sweeps import Swept, SweptClean
from scenarios.faults.plan import Moment
from scenarios.judge.rules import Rule

CONDUCTED = ("orchestration",)
NO_DEFAULT = "An event that nobody expects starts nothing: a choreography has no branch that is taken by default."
NO_CATCH = "Where services react, nobody catches: whoever gives up announces it, and the next service hears it or not."
NO_END = "A choreography has no execution that could succeed while the order stays open."
ONE_BUDGET = "The retries of a choreography are the queue's, not the page's: without the guard `retries` it would be the same."

EXHIBIT = Exhibit(
    name="choice-versus-catch",
    title="Choice for business answers, Catch for errors",
    source="Jones: Distributed Sagas with AWS Step Functions (talk and repository)",
    correction="Every Choice names the answers that go forward and sends the rest to compensation, every Catch leads to the compensation"
    " of its step, all tasks retry, the release gives back what was held, and the last step confirms the order.",
    claims=(
        Claim(
            name="release-subtracts",
            says="The release lowers the stock again, so each declined payment takes the goods twice off the shelf.",
            proofs=(
                Checked(says=r"ReleaseStock changes -\d+ \(undone\) after ReserveStock"),
                Ran(
                    scenario="card_declined",
                    rule=Rule.ENDED_IS_CLEAN,
                    why="inventory stands at -2 instead of 0",
                ),
            ),
        ),
        Claim(
            name="any-status-completes",
            says="Any status but 402 completes the saga: a payment that answers 500 is reported as paid.",
            proofs=(
                Checked(
                    says="ChargePayment with an answer that nobody expects leads to the end",
                ),
                Ran(
                    scenario="payment_answers_500",
                    rule=Rule.TOLD_THE_TRUTH,
                    why="the customer was told CONFIRMED",
                    never=("ChargePayment",),
                    styles=CONDUCTED,
                ),
            ),
            twin=NO_DEFAULT,
        ),
        Claim(
            name="catch-goes-to-fail",
            says="Every Catch leads to the fail state: after a payment that never answers the stock stays taken and the order open.",
            proofs=(
                Checked(says="ChargePayment that does not answer in time leads to the end"),
                Ran(
                    scenario="payment_hangs",
                    rule=Rule.PARKED_IN_PLACE,
                    why="open since ReserveStock",
                    styles=CONDUCTED,
                ),
            ),
            twin=NO_CATCH,
        ),
        Claim(
            name="stays-pending",
            says="Nothing confirms an order: the execution succeeds, and the order stays PENDING.",
            proofs=(
                Checked(says="there is no task ConfirmOrder"),
                Ran(
                    scenario="happy_path",
                    rule=Rule.TOLD_THE_TRUTH,
                    why="the customer was told CONFIRMED, the order is PENDING",
                    styles=CONDUCTED,
                ),
            ),
            twin=NO_END,
        ),
        Claim(
            name="no-retry",
            says="No task retries: one crash of the inventory, gone a moment later, fails the whole order.",
            proofs=(
                Checked(says="ReserveStock has no Retry"),
                Ran(
                    scenario="one_crash",
                    rule=Rule.PARKED_IN_PLACE,
                    why="failed execution at ReserveStock",
                    styles=CONDUCTED,
                ),
            ),
            twin=ONE_BUDGET,
        ),
        Claim(
            name="charged-without-stock",
            says="An inventory that answers 500 lets the payment go ahead: the customer pays for goods that nobody holds.",
            proofs=(
                Checked(
                    says="ReserveStock with an answer that nobody expects leads to ChargePayment",
                ),
                Swept(
                    operation="ReserveStock",
                    moment=Moment.ERROR,
                    rule=Rule.STEP_ORDER,
                    styles=CONDUCTED,
                ),
            ),
            twin=NO_DEFAULT,
        ),
        Claim(
            name="corrected-is-sound",
            says="The corrected edition has nothing to mend, and is consistent under every single fault of the sweep.",
            proofs=(SweptClean(),),
            about=CORRECTED,
        ),
    ),
)  # fmt: skip
