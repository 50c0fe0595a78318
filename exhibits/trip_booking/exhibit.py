"""The exhibit: what it shows, claim by claim."""

from bench.exhibits.exhibit import CORRECTED, Claim, Exhibit
from bench.exhibits.files import Checked
from bench.exhibits.runs import Ends, Ran
from bench.exhibits.sweeps import SweptClean
from exhibits.trip_booking.cancels import Unfinished
from exhibits.trip_booking.scenarios.index import CHAIN, RUN_TYPES
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import OrderClass

CONDUCTED = ("orchestration",)
FROM_ITS_INBOX = "A service that gives up looks at its own inbox first, and announces what it has done after all."

EXHIBIT = Exhibit(
    name="trip-booking",
    title="A holiday whose cancels may fail, and may not find what they cancel",
    source="Coulter: Learn the saga stepfunction pattern today (article, and repository the-saga-stepfunction)",
    correction="Cancels find their record by the id of the trip in their own rows, a refund is recorded beside the charge, and a cancel whose"
    " retries are spent is parked where an operator sees it and sends it on.",
    claims=(
        Claim(
            name="room-without-a-trip",
            says="A reservation whose answer is lost leaves a room held for a trip that is cancelled: its cancel looks for the answer.",
            proofs=(
                Checked(says=r"CancelHotel changes \+0 \(tombstone\) after ReserveHotel"),
                Ran(
                    scenario="hotel_answer_lost",
                    rule=Rule.ENDED_IS_CLEAN,
                    why="ReserveHotel was never undone",
                    styles=CONDUCTED,
                ),
            ),
            twin=FROM_ITS_INBOX,
        ),
        Claim(
            name="seats-without-a-trip",
            says="A flight whose answer is lost keeps its seats for a trip that is cancelled.",
            proofs=(
                Checked(says=r"CancelFlight changes \+0 \(tombstone\) after ReserveFlight"),
                Ran(
                    scenario="flight_answer_lost",
                    rule=Rule.ENDED_IS_CLEAN,
                    why="ReserveFlight was never undone",
                    styles=CONDUCTED,
                ),
            ),
            twin=FROM_ITS_INBOX,
        ),
        Claim(
            name="paid-for-no-trip",
            says="A charge whose answer is lost is never returned: the traveller pays for a trip that is cancelled.",
            proofs=(
                Checked(says=r"ReturnPayment changes \+0 \(tombstone\) after TakePayment"),
                Ran(
                    scenario="charge_answer_lost",
                    rule=Rule.ENDED_IS_CLEAN,
                    why="TakePayment was never undone",
                    styles=CONDUCTED,
                ),
            ),
            twin=FROM_ITS_INBOX,
        ),
        Claim(
            name="refund-without-a-trace",
            says="A refund deletes the payment: nobody can show afterwards that the traveller was ever charged.",
            proofs=(
                Ran(
                    scenario="failHotelConfirmation",
                    rule=Rule.ROWS_AGREE,
                    why="in fares of payment taken_cents is 0 instead of",
                ),
            ),
        ),
        Claim(
            name="one-cancel-unfinished",
            says="A cancel that fails at four attempts of ten, with three retries, is left undone in 0.4^4 = 2.56 % of the trips.",
            proofs=(Unfinished(scenario="one_failing_cancel", cancels=1),),
        ),
        Claim(
            name="chain-unfinished",
            says="Three such cancels in a chain leave 7.5 % of the trips unfinished.",
            proofs=(Unfinished(scenario="three_failing_cancels", cancels=len(CHAIN)),),
        ),
        Claim(
            name="five-run-types",
            says="Each of the five run types of the repository ends with every trip compensated and nothing left over.",
            proofs=tuple(
                Ends(scenario=name, order_class=OrderClass.COMPENSATED) for name in RUN_TYPES
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
