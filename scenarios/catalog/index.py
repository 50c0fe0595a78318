"""Every story of the catalog, by name."""

from dataclasses import replace
from inspect import cleandoc

from scenarios.catalog import (
    answered_twice,
    any_ending,
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
    happy_path,
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
from scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: replace(module.SCENARIO, story=cleandoc(module.__doc__ or ""))
    for module in (
        happy_path,
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
        any_ending,
        scarce,
    )
}
