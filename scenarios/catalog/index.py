"""Every story of the catalog, by name."""

from dataclasses import replace
from inspect import cleandoc

from scenarios.catalog import (
    any_ending,
    budget_spent,
    card_declined,
    coordinator_killed,
    crash_after_commit,
    crash_before_commit,
    delivered_twice,
    flaky_participant,
    happy_path,
    hot_items,
    last_item,
    late_success,
    lost_reply,
    out_of_stock,
    refund_fails_forever,
    refund_flaky,
    undeliverable,
)
from scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: replace(module.SCENARIO, story=cleandoc(module.__doc__ or ""))
    for module in (
        happy_path,
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
        any_ending,
    )
}
