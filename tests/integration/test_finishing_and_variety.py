"""What is parked is sent on when its faults are over; customers differ; a planted bug shows its story."""

import json

import pytest

from scenarios.runs.folder import read_json, read_lines

QUICKLY = ("--broker", "memory", "--engine", "inprocess", "--orders", 12, "--time-scale", 0.05)


@pytest.mark.parametrize("style", ["choreography", "orchestration"])
def test_what_is_parked_ends_once_it_is_redriven_after_its_faults(saga, tmp_path, style):
    done = saga(
        "run", "refund_fails_forever", "--style", style, "--redrive", "--json", *QUICKLY,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    (run,) = json.loads(done.stdout)["runs"]
    assert {name for name, n in run["classes"].items() if n} == {"committed", "compensated"}
    assert run["replay"].count("--redrive") == 1
    (folder,) = tmp_path.glob("runs/*")
    assert any("redriven after the faults" in n for n in read_json(folder / "run.json")["notes"])


def test_faults_in_other_processes_cannot_be_ended(saga):
    done = saga("run", "happy_path", "--redrive", "--processes")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "omit --processes" in done.stderr


def test_customers_differ_as_they_are_told_to(saga, tmp_path):
    done = saga("run", "happy_path", "--style", "choreography", "--variety", "all", *QUICKLY)
    assert done.returncode == 0, done.stderr + done.stdout
    (folder,) = tmp_path.glob("runs/*")
    lines = read_lines(folder / "orders.jsonl")
    orders = [line["order"] for line in lines]
    assert {order["quantity"] for order in orders} > {1}
    assert len({order["item"] for order in orders}) > 1
    assert len({len(order["order_id"]) for order in orders}) > 1
    assert any(line.get("also") for line in lines)
    assert any(line.get("reads") for line in lines)
    assert "--variety all" in read_json(folder / "run.json")["replay"]


def test_an_unknown_variety_is_answered_with_those_there_are(saga):
    done = saga("run", "happy_path", "--variety", "quantitys")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "quantities" in done.stderr


def test_a_planted_bug_is_shown_in_the_styles_that_can_have_it(saga):
    done = saga("run", "--bug", "booking_unknown_is_undone", *QUICKLY)
    assert done.returncode == 1
    assert "Planted: a booking whose answer never came" in done.stderr
    assert "orchestration: INCONSISTENT" in done.stderr
    assert "choreography" not in done.stderr.partition("[1/1]")[2]
    assert "its story: saga trace order-" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--bug", "nonsense"), "unknown bug"),
        (("--bug", "catch_missing", "--style", "choreography"), "can only be in orchestration"),
        (("--bug", "catch_missing", "--processes"), "omit --processes"),
    ],
)
def test_a_bug_that_cannot_be_planted_is_refused_in_one_line(saga, words, said):
    done = saga("run", *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
