"""Plant every known bug, and see the judge find it by the rule that should; a fast sample of it, and what only long runs show."""

import pytest

from choreography.memory_broker import MemoryBroker
from orchestration.engine.actions import ACTIONS
from scenarios.campaigns.outcome import SEVERITY
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.simulated import play
from scenarios.catalog.bugs import planted
from scenarios.judge.verdict import Judgement, OrderClass
from scenarios.styles.index import STYLES
from shared_domain.order.bugs.index import BUGS

ROWS = pytest.mark.parametrize(
    ("name", "style"), [(name, style) for name, bug in BUGS.items() for style in bug.found_by]
)


def _broken(verdict):
    rules = {rule for order in verdict.orders for rule in order.rules}
    return rules | {law.law for law in verdict.laws if not law.held}


def _blamed(verdict):
    assert verdict.judgement is Judgement.INCONSISTENT


def _assert_found(name, style, verdict):
    _blamed(verdict)
    assert BUGS[name].found_by[style] in _broken(verdict)
    bad = [order for order in verdict.orders if order.rules]
    laws = [law for law in verdict.laws if not law.held]
    assert all(order.why and order.witnesses for order in bad)
    assert all(law.why and law.witnesses for law in laws)


@ROWS
def test_a_planted_bug_is_found_by_the_rule_that_should(name, style):
    bug = BUGS[name]
    schedule = Schedule(
        style=style,
        scenario=bug.scenario,
        orders=12,
        rate_per_s=60,
        turns=1,
        faults=bug.plan,
        bug=name,
    )
    simulated = play(schedule)
    _assert_found(name, style, simulated.ended.verdict)


@pytest.mark.long
@ROWS
async def test_a_planted_bug_is_found_in_real_time_too(run_scenario, name, style):
    bug = BUGS[name]
    with planted("order", name):
        result = await run_scenario(bug.scenario, style, faults=bug.plan.to_json()["faults"])
    _assert_found(name, style, result.verdict)


def test_there_are_enough_bugs_in_both_styles_and_each_has_words_of_its_own():
    assert len(BUGS) >= 25
    assert all(sum(style in bug.found_by for bug in BUGS.values()) >= 15 for style in STYLES)
    assert len({bug.words for bug in BUGS.values()}) == len(BUGS)


def test_every_class_has_its_place_among_the_severities():
    assert set(OrderClass) <= set(SEVERITY)


@pytest.mark.slow
async def test_an_order_that_the_broker_confirmed_and_lost_is_found(run_scenario, monkeypatch):
    publish = MemoryBroker.publish

    async def forgetful(self, message):
        if message.message_id != "order-00004:PlaceOrder":
            await publish(self, message)

    monkeypatch.setattr(MemoryBroker, "publish", forgetful)
    verdict = (
        await run_scenario("coordinator_killed", "choreography", least_time_scale=0.05)
    ).verdict
    _blamed(verdict)
    assert verdict.orders[4].order_class == "stuck"
    assert "no participant has ever heard of it" in verdict.orders[4].why


@pytest.mark.slow
async def test_an_order_that_the_engine_accepted_and_lost_is_found(run_scenario, monkeypatch):
    start = ACTIONS["StartExecution"]

    async def forgetful(engine, parameters):
        if parameters["name"] == "order-00004":
            return {"executionArn": "arn:lost", "startDate": 0.0}
        return await start(engine, parameters)

    monkeypatch.setitem(ACTIONS, "StartExecution", forgetful)
    verdict = (
        await run_scenario("coordinator_killed", "orchestration", least_time_scale=0.05)
    ).verdict
    _blamed(verdict)
    assert verdict.orders[4].order_class == "stuck"
