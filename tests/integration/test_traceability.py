"""One trace per saga, evidence that tells no more than it may, and scores that fall when it is broken."""

import asyncio
import json
import re
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest

from bench.critical_path import BACKOFF, critical_path
from bench.results import read_run
from bench.service_map import CONDUCTOR, service_map
from kernel.guards import Guards
from kernel.policy import Policy
from report.replay import in_short, steps
from report.saga_in_run import SagaInRun
from scenarios.catalog.index import scenarios_of
from scenarios.evidence.diagnosis import answer
from scenarios.evidence.evidence import order_ids, read_evidence
from scenarios.evidence.scores import KINDS, score, timelines_of
from scenarios.evidence.traced import in_trace, is_hop
from scenarios.runs.artifacts import SERVICE_LOG
from scenarios.runs.control_socket import DistantOperator
from scenarios.runs.environment import Backends
from scenarios.runs.folder import read_json, read_lines
from scenarios.runs.repair import repair
from scenarios.runs.runner import run
from scenarios.runs.spec import RunSpec
from shared_domain.order.saga import SAGA
from tests.otlp_receiver import otlp_receiver

pytestmark = pytest.mark.timeout(120)
STYLES = ("choreography", "orchestration")
styles = pytest.mark.parametrize("style", STYLES)
UNHURRIED = 0.1
"""A time scale at which no deadline passes only because the machine is busy: such a call is in vain as well."""
FLOW = SAGA.reacting(SAGA.variant)
LOST = {"orders": "all", "operation": "ChargePayment", "moment": "trace.context_lost", "attempts": "all"}  # fmt: skip


@pytest.fixture(params=["embedded", "real"])
def backends(request):
    return Backends() if request.param == "embedded" else request.getfixturevalue("real_pair")


_IDS = re.compile(r"order-\d+:[A-Za-z]+|\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b")
"""Ids of messages and trace contexts, wherever they stand."""


def _scored(folder):
    return score(folder, read_evidence(folder, order_ids(folder)))


def _spans(folder):
    found = defaultdict(list)
    for span in read_lines(folder / "trace.jsonl"):
        found[span["attributes"]["order_id"]].append(span)
    return found


def _operation(span):
    return "" if is_hop(span) else span["attributes"].get("operation", "")


@styles
async def test_a_saga_is_one_trace_with_a_span_for_every_hop(run_scenario, backends, style):
    folder = (await run_scenario("undeliverable", style, backends=backends, orders=4)).folder
    for order_id, spans in _spans(folder).items():
        assert len({span["context"]["trace_id"] for span in spans}) == 1, order_id
        by_id = {span["context"]["span_id"]: span for span in spans}
        assert [span["name"] for span in spans if span["parent_id"] is None] == ["place order"]
        rows = [r for r in read_lines(folder / "ledgers.jsonl") if r["table"] == "ledger"]
        done = {r["operation"] for r in rows if r["order_id"] == order_id}
        assert {s["attributes"]["operation"] for s in spans if _operation(s)} == done
        for span in filter(_operation, spans):
            inside = [s["name"] for s in spans if s["parent_id"] == span["context"]["span_id"]]
            assert inside.count("transaction") == 1
            hop = by_id[span["parent_id"]]
            if style == "orchestration":
                assert (hop["name"], hop["kind"]) == (
                    f"task {span['attributes']['operation']}",
                    "SpanKind.SERVER",
                )
                assert by_id[hop["parent_id"]]["name"] == "place order"
            else:
                heard = hop["name"].removeprefix("deliver ")
                sent = by_id[hop["parent_id"]]
                assert (sent["name"], sent["kind"]) == (f"publish {heard}", "SpanKind.PRODUCER")


@styles
async def test_a_fault_is_an_event_of_the_span_that_it_struck(run_scenario, style):
    folder = (await run_scenario("refund_flaky", style)).folder
    struck = Counter(
        (row["order_id"], row["operation"], row["moment"])
        for row in read_lines(folder / "faults.jsonl")
        if row["struck"]
    )
    seen = Counter(
        (order_id, event["attributes"]["operation"], event["attributes"]["moment"])
        for order_id, spans in _spans(folder).items()
        for span in spans
        for event in span["events"]
        if event["name"] == "fault"
    )
    assert struck
    assert seen == struck


@styles
async def test_a_repeated_request_links_to_what_did_it_first(run_scenario, style):
    folder = (await run_scenario("delivered_twice", style, orders=3)).folder
    for spans in _spans(folder).values():
        first = [s for s in spans if _operation(s) == "ChargePayment"]
        done, again = sorted(first, key=lambda span: span["start_time"])[:2]
        assert done["links"] == []
        (link,) = again["links"]
        assert link["context"] == done["context"]


@styles
async def test_ids_and_traces_rebuild_every_saga_and_a_lost_context_costs_the_trace_alone(
    run_scenario, style
):
    intact = _scored((await run_scenario("undeliverable", style)).folder)
    for kind in KINDS[1:]:
        assert (intact[kind].exact, intact[kind].where) == (12, 12), kind
        assert intact[kind].f1 == 1
    # A broker forgets what was handled; a history is kept whole.
    assert intact["native"].exact == {"choreography": 0, "orchestration": 12}[style]
    assert intact["traced"].orphans == 0
    assert intact["audited"].sources == {"choreography": 10, "orchestration": 1}[style]
    broken = _scored((await run_scenario("undeliverable", style, faults=[LOST])).folder)
    assert (broken["audited"].exact, broken["correlated"].exact) == (12, 12)
    assert broken["traced"].exact == 0
    assert broken["traced"].orphans > 0
    # Behind the service that loses it, a choreography goes on in another trace; a conductor sends its own context again.
    assert (broken["traced"].where == 0) is (style == "choreography")


@styles
async def test_what_an_operator_has_for_free_holds_no_ids_of_messages(run_scenario, style):
    folder = (await run_scenario("undeliverable", style, orders=4)).folder
    evidence = read_evidence(folder, ["order-00001"]).by_order["order-00001"]
    before = timelines_of(SAGA, "order-00001", style, evidence)
    scrambled = {
        source: rows
        if source == "definition"
        else json.loads(_IDS.sub("x:Nothing", json.dumps(rows)))
        for source, rows in evidence.items()
    }
    assert "order-00001:" in json.dumps(evidence)
    assert "order-00001:" not in json.dumps(scrambled)
    after = timelines_of(SAGA, "order-00001", style, scrambled)
    for kind in ("native", "audited"):
        assert after[kind].calls == before[kind].calls
    assert after["correlated"].calls != before["correlated"].calls
    without = timelines_of(SAGA, "order-00001", style, scrambled | {"service_log": [], "trace": []})
    assert without["correlated"].calls == without["traced"].calls == ()
    assert bool(without["audited"].calls) is (style == "orchestration")


@styles
async def test_evidence_with_a_hole_in_it_scores_less(run_scenario, style):
    folder = (await run_scenario("undeliverable", style)).folder
    lines = read_lines(folder / SERVICE_LOG)
    kept = [line for line in lines if line["operation"] != "ChargePayment"]
    (folder / SERVICE_LOG).write_text("".join(json.dumps(line) + "\n" for line in kept))
    found = _scored(folder)
    assert found["correlated"].exact == 0
    assert (found["correlated"].precision, found["correlated"].recall < 1) == (1, True)
    assert found["traced"].exact == 12


@styles
async def test_where_is_a_parked_order_and_why(run_scenario, style):
    folder = (await run_scenario("refund_fails_forever", style)).folder
    found = {}
    for order_id, evidence in read_evidence(folder, order_ids(folder)).by_order.items():
        told = timelines_of(SAGA, order_id, style, evidence)
        found[order_id] = answer(told["audited"], FLOW)
        assert bool(told["audited"].parked_id) is (found[order_id].status == "OPEN")
        if told["native"].parked_id:  # a dead letter holds enough
            assert answer(told["native"], FLOW) == found[order_id]
    waiting = {i: a for i, a in found.items() if a.status == "OPEN"}
    parked = {row["order_id"] for row in read_lines(folder / "evidence/parked.jsonl")}
    assert set(waiting) == parked
    for one in waiting.values():
        assert (one.last, one.because_of, one.waits_for) == ("BookShipment", "BookShipment", "RefundPayment")  # fmt: skip
    assert {a.status for i, a in found.items() if i not in parked} == {"CONFIRMED"}


@styles
async def test_a_living_run_tells_what_it_knows_of_an_order(tmp_path, style):
    scenario = scenarios_of(SAGA)["refund_fails_forever"]
    spec = RunSpec(
        saga=SAGA, variant=SAGA.variant, scenario=scenario, style=style, orders=4, seed=1, backends=Backends(), rate_per_s=50,
        time_scale=0.03, hold_s=60,
    )  # fmt: skip
    task = asyncio.create_task(run(spec, runs=tmp_path, facts={}))
    try:
        async with asyncio.timeout(30):
            while not (folders := list(tmp_path.glob("*/run.json"))) or "operator" not in read_json(folders[0]):  # fmt: skip
                await asyncio.sleep(0.05)
            operator = DistantOperator(read_json(folders[0])["operator"])
            while True:
                evidence = await operator.evidence("order-00003")
                told = timelines_of(SAGA, "order-00003", style, evidence)
                if told["native"].parked_at:
                    break
                await asyncio.sleep(0.1)
        for kind in KINDS:
            assert answer(told[kind], FLOW).waits_for == "RefundPayment", kind
        nobody = await operator.evidence("order-99999")
        assert not any(rows for source, rows in nobody.items() if source != "definition")
    finally:
        task.cancel()
        await asyncio.wait([task])


@styles
async def test_spans_go_to_an_otlp_endpoint_too(run_traced, style):
    async with otlp_receiver() as (url, spans):
        folder = await run_traced(style, otlp=url)
    kept = read_lines(folder / "trace.jsonl")
    assert {span.span_id.hex() for _, span in spans} == {s["context"]["span_id"].removeprefix("0x") for s in kept}  # fmt: skip
    assert {service for service, _ in spans} == {"customer", "order", "inventory", "payment", "shipping"}  # fmt: skip
    assert url not in (folder / "run.json").read_text()


async def test_an_endpoint_that_takes_nothing_costs_spans_and_no_order(run_traced):
    async with otlp_receiver(status=400) as (url, _):
        folder = await run_traced("choreography", otlp=url)
    assert read_json(folder / "verdict.json")["judgement"] == "CONSISTENT"
    (note,) = [n for n in read_json(folder / "run.json")["notes"] if "OTLP" in n]
    n = len(read_lines(folder / "trace.jsonl"))
    assert f"{n} of {n} spans" in note


@styles
async def test_a_sampled_trace_is_whole_and_logs_are_always_there(run_traced, style):
    folder = await run_traced(style, orders=40, trace_sampling=0.4)
    spans = _spans(folder)
    assert 4 <= len(spans) <= 30
    for mine in spans.values():
        assert len(in_trace(mine)) == len(mine)
        assert [s["name"] for s in mine if s["parent_id"] is None] == ["place order"]
    assert len({line["order_id"] for line in read_lines(folder / SERVICE_LOG)}) == 40
    assert not _spans(await run_traced(style, trace_sampling=0.0))


@pytest.fixture
def run_traced(tmp_path):
    async def ran(style, *, orders=6, **changes):
        spec = RunSpec(
            saga=SAGA, variant=SAGA.variant, scenario=scenarios_of(SAGA)["happy_path"], style=style, orders=orders, seed=1, backends=Backends(),
            rate_per_s=60, time_scale=0.03, **changes,
        )  # fmt: skip
        return (await run(spec, runs=tmp_path / "runs", facts={})).folder

    return ran


@pytest.mark.slow
@styles
async def test_participants_of_their_own_leave_one_trace_and_their_logs(tmp_path, real_pair, style):
    spec = RunSpec(
        saga=SAGA, variant=SAGA.variant, scenario=replace(scenarios_of(SAGA)["card_declined"], least_time_scale=0.1), style=style, orders=4, seed=1,
        backends=real_pair, rate_per_s=40, time_scale=0.1, processes=True,
    )  # fmt: skip
    folder = (await run(spec, runs=tmp_path, facts={})).folder
    found = _scored(folder)
    assert [found[kind].exact for kind in KINDS[1:]] == [4, 4, 4]
    assert found["traced"].orphans == 0


@styles
async def test_the_critical_path_is_the_whole_time_in_parts_that_do_not_overlap(
    run_scenario, style
):
    folder = (await run_scenario("refund_flaky", style, time_scale=UNHURRIED)).folder
    policy = Policy(**read_json(folder / "run.json")["policy"])
    for evidence in read_evidence(folder, order_ids(folder)).by_order.values():
        path = critical_path(evidence)
        assert all(before.ended_s == after.began_s for before, after in pairwise(path))
        assert all(segment.lasted_s > 0 for segment in path)
        timeline = timelines_of(SAGA, "", style, evidence)["traced"]
        end_s = max(call.ended_s for call in timeline.calls)
        assert path[-1].ended_s == pytest.approx(end_s, abs=1e-6)
        if any(call.cause == "OrderExpired" for call in timeline.calls):
            continue  # two chains at once, on a busy machine: the earlier counts
        failed = [call for call in timeline.calls if not call.answer]
        waited_s = sum(segment.lasted_s for segment in path if segment.part == BACKOFF)
        planned_s = sum(policy.delays_s()[: len(failed)])
        assert (waited_s >= 0.9 * planned_s) if failed else waited_s == 0


@pytest.mark.slow
async def test_the_service_map_counts_calls_and_those_in_vain(run_scenario):
    edges = {}
    for style in STYLES:
        folder = (await run_scenario("refund_flaky", style, time_scale=UNHURRIED)).folder
        sagas = read_evidence(folder, order_ids(folder)).by_order.values()
        edges[style] = {(e.caller, e.callee): e for e in service_map(SAGA, sagas)}
    said = edges["choreography"]
    assert said["customer", "order"].calls == said["order", "inventory"].calls == 12
    assert said["shipping", "payment"].errors > 0
    assert said["inventory", "payment"].errors == 0
    told = edges["orchestration"]
    assert {caller for caller, _ in told} == {"customer", CONDUCTOR}
    assert told["customer", CONDUCTOR].calls == 12
    assert told[CONDUCTOR, "payment"].errors == said["shipping", "payment"].errors
    folder = (await run_scenario("budget_spent", "choreography", time_scale=UNHURRIED)).folder
    sagas = read_evidence(folder, order_ids(folder)).by_order.values()
    given_up = {(e.caller, e.callee): e for e in service_map(SAGA, sagas)}
    assert given_up["inventory", "payment"].errors == 3 * 4, "a step that is given up is no answer"


async def test_a_call_takes_from_its_sending_to_its_end_in_both_styles(run_scenario):
    for style in STYLES:
        folder = (await run_scenario("happy_path", style, orders=4)).folder
        evidence = read_evidence(folder, ["order-00001"]).by_order["order-00001"]
        (edge,) = [e for e in service_map(SAGA, [evidence]) if e.callee == "payment"]
        (body,) = [
            c
            for c in timelines_of(SAGA, "", style, evidence)["traced"].calls
            if c.service == "payment"
        ]
        on_the_way = [s for s in critical_path(evidence) if (s.operation, s.part) == ("ChargePayment", "queue wait")]  # fmt: skip
        least_s = body.ended_s - body.began_s + sum(segment.lasted_s for segment in on_the_way)
        assert edge.average_s >= least_s > body.ended_s - body.began_s


@styles
async def test_what_failed_on_its_way_is_in_the_trace_of_both_styles(run_scenario, style):
    folder = (await run_scenario("lost_for_ever", style)).folder
    found = _scored(folder)
    assert found["traced"].harmed == found["traced"].top_1 == 3
    # In a choreography the service itself gives up, and says so; a conductor tells no service.
    assert found["correlated"].top_1 == (3 if style == "choreography" else 0)


@pytest.mark.slow
@styles
async def test_a_repaired_saga_waits_for_nobody(run_scenario, style):
    folder = (await run_scenario("refund_fails_forever", style, least_time_scale=0.1)).folder
    parked = [row["parked_id"] for row in read_lines(folder / "evidence/parked.jsonl")]
    await repair(folder, Backends(), action="redrive", parked_ids=parked)
    evidence = read_evidence(folder, ["order-00003"]).by_order["order-00003"]
    for kind, timeline in timelines_of(SAGA, "order-00003", style, evidence).items():
        forgets = kind == "native" and style == "choreography"  # a letter that was sent on is gone
        status = "OPEN" if forgets else "CANCELLED"
        assert (timeline.parked_now(), timeline.status()) == ("", status)
    saga = SagaInRun(read_run(folder), "order-00003")
    assert "operator" not in {step.actor for step in steps(saga)}
    assert not saga.row.comparable, "the operator's time is no latency"


@styles
async def test_the_replay_says_what_is_true_where_a_safeguard_is_off(run_scenario, style):
    folder = (await run_scenario("lost_reply", style, guards=Guards.parse("-inbox"))).folder
    saga = SagaInRun(read_run(folder), "order-00001")
    taken = [step.holds[2] for step in steps(saga) if step.title == "ChargePayment"]
    assert len(taken) == 2
    assert float(taken[1].replace(",", "")) == 2 * float(taken[0].replace(",", ""))
    assert "ChargePayment again" not in {step.title for step in steps(saga)}
    assert any(
        line.startswith("Done more than once, which must not be: ChargePayment (2 times)")
        for line in in_short(saga)
    )


@styles
async def test_a_step_that_meets_its_tombstone_is_not_told_as_a_declined_card(run_scenario, style):
    folder = (await run_scenario("overtaken", style)).folder
    saga = SagaInRun(read_run(folder), "order-00003")
    late = [step.text for step in steps(saga) if step.mark == "refused"]
    assert late == ["ChargePayment is refused: it comes after its compensation."]
    assert not any("was refused" in line for line in in_short(saga))
    times = [step.at_ms for step in steps(saga)]
    assert times == sorted(times)
    assert times[0] == 0


@pytest.mark.slow
async def test_an_order_that_is_confirmed_was_not_turned_back(run_scenario):
    folder = (await run_scenario("late_success", "choreography")).folder
    confirmed = 0
    for order_id, evidence in read_evidence(folder, order_ids(folder)).by_order.items():
        for timeline in timelines_of(SAGA, order_id, "choreography", evidence).values():
            found = answer(timeline, FLOW)
            confirmed += found.status == "CONFIRMED"
            assert (found.status, found.because_of) != ("CONFIRMED", "BookShipment")
    assert confirmed


@pytest.mark.slow
async def test_more_spans_than_a_batch_reach_the_endpoint_or_are_counted(run_traced):
    async with otlp_receiver() as (url, spans):
        folder = await run_traced("choreography", orders=150, otlp=url)
    kept = len(read_lines(folder / "trace.jsonl"))
    assert len(spans) == kept > 2048
    assert not [note for note in read_json(folder / "run.json")["notes"] if "OTLP" in note]
