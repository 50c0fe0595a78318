"""What an open loop says of a run: the measured window alone, from the intended start, and nobody left out."""

import json
import os

import pytest

from bench.experiment import Done
from bench.open_loop import Load, compensation_s, read_load
from bench.parts.faults import noticed
from bench.usage import Usage
from report.benchmark.others import bottleneck, overload
from scenarios.judge.verdict import OrderClass
from scenarios.runs.scenario import COMMITTED

LOAD = Load(style="choreography", rate_per_s=1.0, warm_s=2, measure_s=4, cool_s=2)
STEPS = ("PlaceOrder", "ReserveStock", "ChargePayment", "BookShipment", "ConfirmOrder")


def _folder(tmp_path, latencies, rows=(), compensated=()):
    """Customers one second apart from second 100 on, each with a latency or None."""
    lines, timings, classes = [], [], []
    for number, latency in enumerate(latencies):
        order_id = f"o{number}"
        intended = 100.0 + number
        lines.append({"order": {"order_id": order_id}, "intended_mono_s": intended, "started_mono_s": intended + 0.001})  # fmt: skip
        timings.append({"order_id": order_id, "latency_s": latency})
        ended = OrderClass.COMPENSATED if number in compensated else OrderClass.COMMITTED
        classes.append(
            {"order_id": order_id, "order_class": ended if latency else OrderClass.STUCK}
        )
    (tmp_path / "orders.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    verdict = {"schema": 1, "timing": {"orders": timings}, "orders": classes}
    (tmp_path / "verdict.json").write_text(json.dumps(verdict))
    told = [{"table": "ledger", **row} for row in rows]
    (tmp_path / "ledgers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    return tmp_path


def _read(folder):
    return read_load(LOAD, folder, _usage(), first_s=0.0, expects=lambda index: COMMITTED)


def _usage():
    return Usage(samples=[(100.0, {"client": 0.0}), (102.0, {"client": 1.0}), (106.0, {"client": 4.0}), (108.0, {"client": 9.0})])  # fmt: skip


def test_only_those_who_meant_to_come_in_the_window_count(tmp_path):
    folder = _folder(tmp_path, [9.0, 9.0, 0.1, 0.2, 0.3, 0.4, 9.0, 9.0])
    found = _read(folder)
    assert found.latency_s == [0.1, 0.2, 0.3, 0.4]
    assert found.lateness_s == pytest.approx([0.001] * 4)
    assert (found.came, found.ended) == (4, 4)


def test_who_has_not_ended_is_told_as_censored(tmp_path):
    found = _read(_folder(tmp_path, [0.1, 0.1, 0.1, None, 0.3, None, 0.1, 0.1]))
    assert (len(found.latency_s), found.censored) == (2, 2)
    assert (found.came, found.ended) == (4, 2)


def test_an_order_that_was_given_up_for_lack_of_time_ended_and_is_not_good(tmp_path):
    folder = _folder(tmp_path, [0.1, 0.1, 0.1, 0.1, 0.3, None, 0.1, 4.5], compensated=(0, 3))
    found = _read(folder)
    assert (found.ended, found.good) == (3, 2)
    assert found.not_as_expected == 3
    assert found.drain_s == pytest.approx(4.5)


def test_a_table_of_overload_shares_out_what_ends_by_what_ended_at_the_saturation_point():
    def load(times, good):
        return {"times": times, "came_per_s": 100 * times, "ended_per_s": good + 1, "good_per_s": good,
                "drain_s": 10 * (times - 1), "not_as_expected": 3, "never_ended": 0, "cores_busy": {"client": 0.9}}  # fmt: skip

    rounds = [
        Done(part="overload", arm="choreography", round=n, result={"saturation_per_s": 100.0, "loads": [load(1.0, 100.0), load(2.0, 90.0 - n)]})
        for n in range(2)
    ]  # fmt: skip
    (section,) = overload(rounds)
    assert [line[:2] for line in section.lines] == [("choreography", "1"), ("choreography", "2")]
    share = section.estimates["choreography, good at 2 times"]
    assert share.value == pytest.approx(0.895)


def test_waiting_is_counted_before_the_step_that_has_not_come(tmp_path):
    done = [{"order_id": "o3", "operation": s, "effect": "done", "mono_s": 104.0} for s in STEPS[:2]]  # fmt: skip
    back = [
        {"order_id": "o4", "operation": "PlaceOrder", "effect": "done", "mono_s": 104.0},
        {"order_id": "o4", "operation": "ReserveStock", "effect": "refused", "mono_s": 105.0},
    ]
    folder = _folder(tmp_path, [0.1, 0.1, 0.1, 9.0, 9.0, None, 0.1, 0.1], [*done, *back])
    found = _read(folder)
    assert found.waiting == {"ChargePayment": 1, "compensation": 1, "PlaceOrder": 1}


def test_cpu_counts_within_the_window_alone(tmp_path):
    found = _read(_folder(tmp_path, [0.1] * 8))
    assert found.cores_busy == {"client": 0.75}
    assert found.cpu_ms_per_saga == {"client": pytest.approx(3000 / 4)}


def test_customers_come_until_the_time_is_over_however_many_they_are():
    for seed in range(20):
        offsets = LOAD.offsets_s(seed)
        assert offsets == sorted(offsets)
        assert offsets[-1] < 8.0 or len(offsets) == 1
    assert len({len(LOAD.offsets_s(seed)) for seed in range(20)}) > 3


def test_a_compensation_lasts_from_the_refusal_to_the_last_row():
    rows = [
        {"effect": "done", "mono_s": 1.0},
        {"effect": "refused", "mono_s": 2.0},
        {"effect": "undone", "mono_s": 2.5},
        {"effect": "undone", "mono_s": 3.0},
    ]
    assert compensation_s(rows) == 1.0
    assert compensation_s(rows[:1]) is None


def test_the_bottleneck_is_named_only_with_evidence():
    assert "CPU of client" in bottleneck({"client": 0.97, "RabbitMQ": 0.3})
    assert "no process is full" in bottleneck({"client": 0.5, "RabbitMQ": 0.3})
    many = float(os.cpu_count())
    assert "CPU of the machine" in bottleneck(
        {"client": 0.1, "RabbitMQ": many - 0.2}
    )  # it has many threads


def _span(name, began, ended, description=""):
    at = "2026-11-21T00:00:{:09.6f}Z".format
    status = {"status_code": "ERROR", "description": description} if description else {"status_code": "UNSET"}  # fmt: skip
    return {"name": name, "start_time": at(began), "end_time": at(ended), "status": status, "attributes": {}, "kind": "SpanKind.CONSUMER" if name.startswith("deliver") else "SpanKind.INTERNAL"}  # fmt: skip


def test_a_crash_is_noticed_by_the_next_delivery_and_an_error_by_the_service_itself():
    crash, error = "ParticipantCrashed: injected", "OutcomeUnknown: injected"
    spans = [
        _span("deliver X", 1, 2, crash),
        _span("payment ChargePayment", 1.5, 2, crash),
        _span("deliver X", 5, 6),
        _span("payment ChargePayment", 5.2, 5.4, error),
    ]
    since = noticed({"trace": spans[:1]})[0] - 1
    assert [round(at - since, 3) for at in noticed({"trace": spans})] == [1, 5, 5.4]


def test_a_conductor_notices_what_is_in_its_history():
    events = [{"type": t, "timestamp": n} for n, t in enumerate(("LambdaFunctionScheduled", "LambdaFunctionFailed", "LambdaFunctionSucceeded"))]  # fmt: skip
    assert noticed({"trace": [], "histories": [{"events": events}]}) == [1, 2]
