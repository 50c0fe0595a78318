"""What an open loop says of a run: the measured window alone, from the intended start, and nobody left out."""

import json
import os

import pytest

from bench.open_loop import Load, compensation_s, read_load
from bench.parts.faults import noticed
from bench.usage import Usage
from report.benchmark.others import bottleneck

LOAD = Load(style="choreography", rate_per_s=1.0, warm_s=2, measure_s=4, cool_s=2)
STEPS = ("PlaceOrder", "ReserveStock", "ChargePayment", "BookShipment", "ConfirmOrder")


def _folder(tmp_path, latencies, rows=()):
    """Customers one second apart from second 100 on, each with a latency or None."""
    lines, timings = [], []
    for number, latency in enumerate(latencies):
        order_id = f"o{number}"
        intended = 100.0 + number
        lines.append({"order": {"order_id": order_id}, "intended_mono_s": intended, "started_mono_s": intended + 0.001})  # fmt: skip
        timings.append({"order_id": order_id, "latency_s": latency})
    (tmp_path / "orders.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "verdict.json").write_text(json.dumps({"schema": 1, "timing": {"orders": timings}}))
    told = [{"table": "ledger", **row} for row in rows]
    (tmp_path / "ledgers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    return tmp_path


def _usage():
    return Usage(samples=[(100.0, {"client": 0.0}), (102.0, {"client": 1.0}), (106.0, {"client": 4.0}), (108.0, {"client": 9.0})])  # fmt: skip


def test_only_those_who_meant_to_come_in_the_window_count(tmp_path):
    folder = _folder(tmp_path, [9.0, 9.0, 0.1, 0.2, 0.3, 0.4, 9.0, 9.0])
    found = read_load(LOAD, folder, _usage(), first_s=0.0)
    assert found.latency_s == [0.1, 0.2, 0.3, 0.4]
    assert found.lateness_s == pytest.approx([0.001] * 4)
    assert (found.came, found.ended) == (4, 4)


def test_who_has_not_ended_is_told_as_censored(tmp_path):
    found = read_load(
        LOAD, _folder(tmp_path, [0.1, 0.1, 0.1, None, 0.3, None, 0.1, 0.1]), _usage(), first_s=0.0
    )
    assert (len(found.latency_s), found.censored) == (2, 2)
    assert (found.came, found.ended) == (4, 2)


def test_waiting_is_counted_before_the_step_that_has_not_come(tmp_path):
    done = [{"order_id": "o3", "operation": s, "effect": "done", "mono_s": 104.0} for s in STEPS[:2]]  # fmt: skip
    back = [
        {"order_id": "o4", "operation": "PlaceOrder", "effect": "done", "mono_s": 104.0},
        {"order_id": "o4", "operation": "ReserveStock", "effect": "refused", "mono_s": 105.0},
    ]
    folder = _folder(tmp_path, [0.1, 0.1, 0.1, 9.0, 9.0, None, 0.1, 0.1], [*done, *back])
    found = read_load(LOAD, folder, _usage(), first_s=0.0)
    assert found.waiting == {"ChargePayment": 1, "compensation": 1, "PlaceOrder": 1}


def test_cpu_counts_within_the_window_alone(tmp_path):
    found = read_load(LOAD, _folder(tmp_path, [0.1] * 8), _usage(), first_s=0.0)
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
