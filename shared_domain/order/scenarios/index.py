"""The scenarios of the order saga, by name."""

from scenarios.catalog.index import by_name
from shared_domain.order.scenarios import (
    answered_twice,
    base_mix,
    budget_spent,
    card_declined,
    compensation_crashes,
    coordinator_killed,
    crash_after_commit,
    crash_before_commit,
    cut_off,
    delivered_twice,
    flaky_participant,
    frozen,
    hot_items,
    last_item,
    late_success,
    lost_for_ever,
    lost_reply,
    out_of_stock,
    oversized_answer,
    overtaken,
    parked_through_a_kill,
    refund_fails_forever,
    refund_flaky,
    scarce,
    undeliverable,
    unreadable,
)

SCENARIOS = by_name(
    (
        base_mix,
        out_of_stock,
        card_declined,
        undeliverable,
        delivered_twice,
        lost_reply,
        crash_before_commit,
        crash_after_commit,
        flaky_participant,
        budget_spent,
        refund_flaky,
        refund_fails_forever,
        last_item,
        hot_items,
        late_success,
        coordinator_killed,
        lost_for_ever,
        unreadable,
        oversized_answer,
        overtaken,
        answered_twice,
        compensation_crashes,
        parked_through_a_kill,
        cut_off,
        frozen,
        scarce,
    )
)

HEADLINE = {
    "lost_reply": ("none", "-inbox", "all"),
    "crash_after_commit": ("-outbox", "all"),
    "refund_fails_forever": ("-dead_letters", "all"),
}
"""What `saga demo` shows: scenario -> the safeguards of its arms: none as in tutorials, all but the one that the scenario teaches, all."""
