"""Bugs of the coordination; where it makes sense, the same bug in both styles."""

from contextlib import ExitStack

from scenarios.catalog.bug import Bug, Plant, both, choreographed, every, orchestrated
from scenarios.faults.plan import Moment
from scenarios.judge.rules import Rule
from shared_domain.order.bugs import in_choreography, in_orchestration


def _planted(name: str) -> Plant:
    """What both styles plant under this name."""

    def plant(stack: ExitStack) -> None:
        for plants in (in_choreography.PLANTS, in_orchestration.PLANTS):
            if name in plants:
                plants[name](stack)

    return plant


BUGS = [
    Bug(
        name="shipped_before_paid",
        words="the parcel is booked first, and paid for afterwards",
        plant=_planted("shipped_before_paid"),
        scenario="happy_path",
        found_by=both(Rule.STEP_ORDER),
    ),
    Bug(
        name="compensations_missing",
        words="a refused shipment cancels the order, and nothing else",
        plant=_planted("compensations_missing"),
        scenario="undeliverable",
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="compensations_in_the_wrong_order",
        words="stock is released before the money is refunded",
        plant=_planted("compensations_in_the_wrong_order"),
        scenario="undeliverable",
        found_by=both(Rule.REVERSE),
    ),
    Bug(
        name="refused_step_compensated",
        words="a declined payment is refunded",
        plant=_planted("refused_step_compensated"),
        scenario="card_declined",
        found_by=both(Rule.REFUSED_IS_DONE),
    ),
    Bug(
        name="declined_taken_for_paid",
        words="any status but one is taken for paid",
        plant=_planted("declined_taken_for_paid"),
        scenario="card_declined",
        found_by=both(Rule.CONFIRMED_IS_WHOLE),
    ),
    Bug(
        name="failed_refund_ignored",
        words="a refund that fails for good is taken for made",
        plant=_planted("failed_refund_ignored"),
        scenario="refund_fails_forever",
        found_by=both(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="confirmed_from_the_start",
        words="the customer is told CONFIRMED as soon as the order is accepted",
        plant=_planted("confirmed_from_the_start"),
        scenario="card_declined",
        found_by=both(Rule.TOLD_THE_TRUTH),
    ),
    Bug(
        name="booking_unknown_is_undone",
        words="a booking whose answer never came is compensated without asking shipping (a service would know its own ledger)",
        plant=_planted("booking_unknown_is_undone"),
        scenario="any_ending",
        faults=(every(2, "BookShipment", Moment.ANSWER_LOST, always=True),),
        found_by=orchestrated(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="no_reaction_to_a_failed_payment",
        words="nobody hears PaymentFailed",
        plant=_planted("no_reaction_to_a_failed_payment"),
        scenario="budget_spent",
        found_by=choreographed(Rule.NOT_DROPPED),
    ),
    Bug(
        name="deadline_starts_in_the_middle",
        words="an expired order is refunded without asking shipping",
        plant=_planted("deadline_starts_in_the_middle"),
        scenario="late_success",
        found_by=choreographed(Rule.ENDED_IS_CLEAN),
    ),
    Bug(
        name="no_outbox",
        words="commit, then publish: a crash in between loses the event",
        plant=_planted("no_outbox"),
        scenario="crash_after_commit",
        found_by=choreographed(Rule.ENDS_OR_SHOWS),
    ),
    Bug(
        name="ack_before_commit",
        words="a message is acked before its work is done",
        plant=_planted("ack_before_commit"),
        scenario="crash_before_commit",
        found_by=choreographed(Rule.NOT_DROPPED),
    ),
    Bug(
        name="publish_before_commit",
        words="the event goes out, and then the transaction does not happen",
        plant=_planted("publish_before_commit"),
        scenario="any_ending",
        faults=(every(4, "ChargePayment", Moment.CRASH_BEFORE_COMMIT),),
        found_by=choreographed(Rule.CONFIRMED_IS_WHOLE),
    ),
    Bug(
        name="marked_before_published",
        words="the relay marks an event as published, and then dies",
        plant=_planted("marked_before_published"),
        scenario="happy_path",
        found_by=choreographed(Rule.NOT_DROPPED),
    ),
    Bug(
        name="no_dead_letters",
        words="a message that cannot be handled is dropped",
        plant=_planted("no_dead_letters"),
        scenario="refund_fails_forever",
        found_by=choreographed(Rule.ENDS_OR_SHOWS),
    ),
    Bug(
        name="catch_missing",
        words="a charge that fails for good fails the execution",
        plant=_planted("catch_missing"),
        scenario="budget_spent",
        found_by=orchestrated(Rule.PARKED_IN_PLACE),
    ),
    Bug(
        name="catch_goes_to_cancelled",
        words="a charge that fails for good ends as cancelled, uncompensated",
        plant=_planted("catch_goes_to_cancelled"),
        scenario="budget_spent",
        found_by=orchestrated(Rule.TOLD_THE_TRUTH),
    ),
    Bug(
        name="timeout_not_caught",
        words="Catch names only an error of the author's own, and a timeout is none",
        plant=_planted("timeout_not_caught"),
        scenario="budget_spent",
        found_by=orchestrated(Rule.PARKED_IN_PLACE),
    ),
]
