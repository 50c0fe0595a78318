"""What a saga costs: counts of real runs, formulas checked by hand, prices with a source, and a clear word where one is missing."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cost.counts import COMMITTED, REFUSED, RETRIED, Use, counts
from bench.cost.platforms import CostCase, bills, break_even_per_day, gb_s_of_express
from bench.cost.prices import prices
from bench.results import find_runs
from kernel.errors import UsageError
from kernel.guards import Guards
from report.cost_chart import cost_chart
from report.cost_tables import break_evens

DOC = (Path(__file__).parents[2] / "docs" / "cost.md").read_text()
CASE = CostCase(orders_per_day=10_000, refused_ratio=0.03, retried_ratio=0.01, execution_s=0.85)
USES = {
    "choreography": {
        COMMITTED: Use(orders=1, messages=6, deliveries=5, kib=3),
        REFUSED: Use(orders=1, messages=8, deliveries=7, kib=4),
        RETRIED: Use(orders=1, messages=6, deliveries=7, kib=3),
    },
    "orchestration": {
        COMMITTED: Use(orders=1, transitions=11, tasks=5, seconds=0.1),
        REFUSED: Use(orders=1, transitions=13, tasks=7, seconds=0.1),
        RETRIED: Use(orders=1, transitions=13, tasks=7, seconds=0.1),
    },
}


def bill(name, case=CASE, own=("rabbitmq.month=100",)):
    return next(one for one in bills(USES, case, prices(own=own)) if one.platform.name == name)


@pytest.fixture
async def counted(run_scenario, tmp_path):
    for style in ("choreography", "orchestration"):
        for scenario in ("happy_path", "undeliverable", "flaky_participant"):
            # Far from deadlines: a busy machine must not add retries of its own.
            await run_scenario(scenario, style, time_scale=0.2)
    return counts(find_runs(tmp_path / "runs")[0])


@pytest.mark.slow
async def test_orders_use_what_the_page_and_the_reactions_say(counted):
    conducted, reacting = counted["orchestration"], counted["choreography"]
    assert (conducted[COMMITTED].transitions, conducted[COMMITTED].tasks) == (11, 5)
    assert (conducted[REFUSED].transitions, conducted[REFUSED].tasks) == (13, 7)
    assert conducted[RETRIED].transitions - conducted[COMMITTED].transitions == 2
    assert (reacting[COMMITTED].messages, reacting[COMMITTED].deliveries) == (6, 5)
    assert reacting[REFUSED].messages > reacting[COMMITTED].messages
    assert reacting[RETRIED].deliveries == reacting[COMMITTED].deliveries + 2
    assert reacting[COMMITTED].transitions == conducted[COMMITTED].messages == 0


def test_the_example_of_the_document_is_what_the_program_computes():
    standard = bill("Step Functions Standard")
    lines = dict(re.findall(r"^(\w[\w -]*?)  +.*?([\d.,]+)(?: orders a day)?$", DOC, re.MULTILINE))
    shown = {name: float(value.replace(",", "")) for name, value in lines.items()}
    assert standard.per_million[0] == pytest.approx(shown["a million orders"])
    assert round(standard.per_month[0], 2) == shown["a month"]
    assert standard.per_million[0] / 1e6 == pytest.approx(shown["an order"])
    low, high = break_even_per_day(standard, bill("RabbitMQ of your own"), CASE)
    assert round(low) == round(high) == shown["break-even"]
    a_month = 10_000 * 365.25 / 12
    assert standard.compensations[0] == pytest.approx(shown["compensations"] * a_month)
    assert standard.retries[0] == pytest.approx(shown["retries"] * a_month)


def test_express_rounds_duration_and_memory_up_and_ends_after_five_minutes():
    assert gb_s_of_express(replace(CASE, execution_s=0.101)) == pytest.approx(0.2 * 64 / 1024)
    assert gb_s_of_express(replace(CASE, execution_s=0.3, memory_mb=65)) == pytest.approx(0.3 * 128 / 1024)  # fmt: skip
    express = bill("Step Functions Express", replace(CASE, refused_ratio=0, retried_ratio=0))
    assert express.per_million[0] == pytest.approx(1 + 0.9 * 64 / 1024 * 16.67)
    late = bill("Step Functions Express", replace(CASE, execution_s=301))
    assert late.per_month is None
    assert late.why_not.startswith("impossible: ")


def test_queues_and_functions_are_billed_by_messages_and_deliveries():
    plain = replace(CASE, refused_ratio=0, retried_ratio=0)
    queues = bill("SNS and SQS", plain)
    assert queues.per_million == pytest.approx((6 * 0.5 + 2 * 5 * 0.4 / 10, 6 * 0.5 + 2 * 5 * 0.4))
    functions = bill("services on Lambda, conducted", plain)
    assert functions.per_million[0] == pytest.approx(5 * (0.2 + 0.1 * 0.125 * 16.67))


def test_a_payload_is_billed_in_chunks_of_64_kib_and_ends_at_what_a_message_can_hold():
    plain = replace(CASE, refused_ratio=0, retried_ratio=0)
    large = bill("SNS and SQS", replace(plain, payload_kib=100))
    assert large.per_million[1] == pytest.approx(6 * 2 * 0.5 + 5 * (2 + 1) * 0.4)
    assert large.per_million[0] < large.per_million[1]
    for name in ("SNS and SQS", "Step Functions Standard", "Step Functions Express"):
        assert bill(name, replace(plain, payload_kib=256)).why_not.startswith("impossible: 256 KiB")
    assert bill("RabbitMQ of your own", replace(plain, payload_kib=256)).per_month == (100, 100)


def test_workers_cost_what_they_cost_whatever_coordinates_them():
    name = "services on workers of your own"
    assert "--price workers.month=USD" in bill(name).missing
    own = prices(own=["workers.month=70", "rabbitmq.month=100"])
    made = bills(USES, CASE, own)
    (workers,) = [one for one in made if one.platform.name == name]
    assert workers.per_month == (70, 70)
    sentences = [line for line in break_evens(made, CASE) if line.startswith(name)]
    assert [line.split(" costs less than ")[1].split(",")[0] for line in sentences] == ["services on Lambda"] * 2  # fmt: skip


def test_a_price_that_is_missing_is_asked_for_and_not_guessed():
    missing = bill("Amazon MQ")
    assert missing.per_month is None
    assert "--price amazon_mq.month=USD" in missing.missing
    given = bill("Amazon MQ", own=["amazon_mq.month=150..234.33"])
    assert given.per_month == (150, 234.33)


def test_an_outcome_that_was_not_counted_is_refused_if_it_has_a_share():
    some = {style: {COMMITTED: uses[COMMITTED]} for style, uses in USES.items()}
    with pytest.raises(UsageError, match="no refused order"):
        bills(some, CASE, prices())
    bills(some, replace(CASE, refused_ratio=0, retried_ratio=0), prices())


@pytest.mark.parametrize(
    ("own", "text", "told"),
    [
        (["standart.transition=1"], "", "no price 'standart.transition', did you mean"),
        (["rabbitmq.month=cheap"], "", "'cheap' is no price: write US dollars"),
        (["rabbitmq.month=-3"], "", "'-3' is no price"),
        (["rabbitmq.month=9..3"], "", "the first figure is the lower one"),
        ([], '["rabbitmq.month"]\nusd = 3\nregion = "x"\ndate = 2026\n', '["rabbitmq.month"]: a price needs source'),
        ([], '["rabbitmq.month"]\nusd = 3\nregion = "x"\nsource = "y"\n', "a price needs date"),
        ([], '["rabbitmq.month"]\nprice = 3\n', "unknown key 'price': keys are unit, usd"),
        ([], '["rabbit.month"]\nusd = 3\n', "there is no price 'rabbit.month'"),
        ([], "rabbit\n", "is no TOML"),
    ],
)  # fmt: skip
def test_a_wrong_price_is_refused_with_its_place(tmp_path, own, text, told):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        prices(files=[path] if text else [], own=own)
    assert told in str(refused.value)


def test_the_chart_has_a_band_for_each_platform_with_a_price():
    own = ["rabbitmq.month=100..250"]
    axes = cost_chart(USES, CASE, prices(own=own)).axes[0]
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["Step Functions Standard", "Step Functions Express", "SNS and SQS", "RabbitMQ of your own"]  # fmt: skip
    assert len(axes.collections) == len(names)


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_without_a_folder_the_command_makes_its_runs_and_prices_them(saga):
    done = saga("cost", "--price", "rabbitmq.month=100", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    by_name = {row["platform"]: row for row in document["platforms"]}
    assert by_name["Step Functions Standard"]["usd_per_million"] == pytest.approx([277, 277])
    assert "--price amazon_mq.month" in by_name["Amazon MQ"]["why_not"]
    assert any("above 11,861 orders a day" in line for line in document["break_even"])
    assert Path(document["chart"]).exists()


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_another_saga_is_counted_and_priced_as_well(saga):
    done = saga("cost", "--saga", "trip", "--json")
    assert done.returncode == 0, done.stderr
    by_name = {row["platform"]: row for row in json.loads(done.stdout)["platforms"]}
    # 17 transitions if it ends well, 19 with two retries, 22 refused.
    million = 25 * (0.96 * 17 + 0.01 * 19 + 0.03 * 22)
    assert by_name["Step Functions Standard"]["usd_per_million"] == pytest.approx([million] * 2)


@pytest.mark.slow
async def test_runs_without_safeguards_or_without_a_style_are_not_counted(run_scenario, tmp_path):
    await run_scenario("happy_path", "orchestration")
    await run_scenario("happy_path", "choreography", guards=Guards.none())
    with pytest.raises(UsageError, match="no committed order of choreography"):
        counts(find_runs(tmp_path / "runs")[0])
