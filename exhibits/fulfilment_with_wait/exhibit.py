"""The exhibit: what it shows, claim by claim."""

from bench.exhibits.exhibit import CORRECTED, Claim, Exhibit
from bench.exhibits.files import Checked
from bench.exhibits.runs import Goes, Ran
from bench.exhibits.sweeps import SweptClean
from exhibits.fulfilment_with_wait.race import SLOWEST_GUARDS, Race
from kernel.ledger import Effect
from scenarios.judge.rules import Rule

REACTING, CONDUCTED = ("choreography",), ("orchestration",)

EXHIBIT = Exhibit(
    name="fulfilment-with-wait",
    title="A Wait of ten seconds, in the hope that it is paid by then",
    source="Ozkaya: Saga Pattern for Orchestrate Distributed Transactions using AWS Step Functions (article)",
    correction="The shipment follows the answer of the payment, however long that takes; a payment that does not answer within its deadline is undone,"
    " and so is the stock.",
    claims=(
        Claim(
            name="ships-before-paid",
            says="Nothing but the clock puts the shipment after the charge, even where all goes well.",
            proofs=(
                Ran(
                    scenario="happy_path",
                    rule=Rule.STEP_ORDER,
                    why="BookShipment without ChargePayment before it",
                ),
            ),
        ),
        Claim(
            name="parcel-for-a-declined-card",
            says="A card that is declined after fifteen seconds is declined too late: the order is cancelled and the parcel is on its way.",
            proofs=(
                Ran(
                    scenario="slow_refusal",
                    rule=Rule.ENDED_IS_CLEAN,
                    why="shipping stands at 1 instead of 0",
                    never=("ChargePayment",),
                    guards=SLOWEST_GUARDS,
                ),
            ),
        ),
        Claim(
            name="race-is-only-hidden",
            says="The Wait only hides a race: the share of orders shipped before their payment has answered is the share of payments that take longer"
            " than ten seconds.",
            proofs=(Race(scenario="happy_path", style=CONDUCTED[0]),),
            twin="A reaction cannot wait: by events the shipment starts with the payment, and every order is shipped before it is paid.",
        ),
        Claim(
            name="stock-stays-taken",
            says="When the gateway never answers, order and stock are written already, and nothing takes them back.",
            proofs=(
                Checked(says="ChargePayment that does not answer in time leads to the end"),
                Checked(says="nobody reacts to PaymentFailed;"),
                Ran(
                    scenario="gateway_silent",
                    rule=Rule.PARKED_IN_PLACE,
                    done="ReserveStock",
                    never=("ChargePayment", "ReleaseStock"),
                    styles=CONDUCTED,
                ),
                Ran(
                    scenario="gateway_silent",
                    rule=Rule.ENDS_OR_SHOWS,
                    done="ReserveStock",
                    never=("ChargePayment", "ReleaseStock"),
                    styles=REACTING,
                ),
            ),
        ),
        Claim(
            name="last-item",
            says="When another customer's order takes the last item in between, the later one is cancelled before it costs anything.",
            proofs=(
                Goes(
                    scenario="last_item",
                    path=(
                        ("PlaceOrder", Effect.DONE),
                        ("ReserveStock", Effect.REFUSED),
                        ("CancelOrder", Effect.UNDONE),
                    ),
                ),
            ),
            about=CORRECTED,
        ),
        Claim(
            name="stock-comes-back",
            says="When the gateway never answers, the charge is undone, the stock is back at its old level, and the order is cancelled.",
            proofs=(
                Goes(
                    scenario="gateway_silent",
                    path=(
                        ("ReserveStock", Effect.DONE),
                        ("RefundPayment", Effect.TOMBSTONE),
                        ("ReleaseStock", Effect.UNDONE),
                        ("CancelOrder", Effect.UNDONE),
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
