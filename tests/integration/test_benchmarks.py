"""`saga bench` as a user runs it, and the contenders and parts that it is made of. Nothing here asserts a speed."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.closed_loop import check_ledgers, loop
from bench.contenders import CHOREOGRAPHY, CONTENDERS, ORCHESTRATION, RAW_HOPS, Place
from bench.experiment import JOURNAL, open_lab
from bench.open_loop import Load, loaded
from bench.parts.index import FULL, PARTS
from bench.profile import shares
from kernel.errors import Failure, UsageError
from kernel.messages import MAX_ORDER_BYTES
from scenarios.runs.environment import Backends
from scenarios.runs.workload import ServiceTimes
from scenarios.styles.index import STYLES

PROGRAM = str(Path(sys.executable).with_name("saga"))


def program(*arguments, timeout=110):
    command = [PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


async def _through(name, rabbit_url, folder, *, orders=6, padding=0):
    at = Place(url=rabbit_url, folder=folder, prefix=f"test.{time.monotonic_ns()}")
    async with CONTENDERS[name].opened(at) as place:
        return await loop(place, folder, prefix="t", orders=orders, in_flight=3, padding=padding)


@pytest.mark.slow
async def test_every_way_carries_out_every_order_once(rabbit, tmp_path):
    for number, name in enumerate(
        name for name, contender in CONTENDERS.items() if not contender.slow
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = await _through(name, rabbit.url, folder)
        assert len(found.seconds) == 6, name
        check_ledgers(folder, orders=6)
        with pytest.raises(UsageError, match="7 orders left"):
            check_ledgers(folder, orders=7)


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_moto_carries_out_the_same_state_machine(tmp_path):
    await _through("moto server", "", tmp_path)
    check_ledgers(tmp_path, orders=6)


@pytest.mark.slow
async def test_an_order_may_have_200_kib_in_both_styles_and_not_much_more(rabbit, tmp_path):
    for name in (CHOREOGRAPHY, ORCHESTRATION):
        folder = tmp_path / name
        folder.mkdir()
        await _through(name, rabbit.url, folder, orders=2, padding=200 * 1024)
        check_ledgers(folder, orders=2)
    with pytest.raises((Failure, BaseExceptionGroup)):
        await _through(CHOREOGRAPHY, rabbit.url, tmp_path, orders=1, padding=MAX_ORDER_BYTES)


async def test_an_effect_too_many_is_not_reported(rabbit, tmp_path):
    await _through(RAW_HOPS, rabbit.url, tmp_path, orders=3)
    ledger = sqlite3.connect(tmp_path / "order.sqlite")
    with ledger:
        ledger.execute("INSERT INTO ledger (order_id, operation, effect, mono_s) VALUES ('t-0', 'ConfirmOrder', 'done', 1)")  # fmt: skip
    ledger.close()
    with pytest.raises(UsageError, match="nothing may be reported"):
        check_ledgers(tmp_path, orders=3)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
async def test_service_times_are_part_of_every_latency(style, tmp_path):
    load = Load(
        style=style,
        rate_per_s=20,
        warm_s=0.2,
        measure_s=1,
        cool_s=0.2,
        service_times=ServiceTimes.parse("payment=constant:60"),
    )
    found, _ = await loaded(load, backends=Backends(), seed=1, durability="process", folder=tmp_path)  # fmt: skip
    assert found.censored == 0
    assert min(found.latency_s) > 0.06


@pytest.mark.alone
@pytest.mark.long
@pytest.mark.timeout(300)
def test_two_benchmarks_are_set_against_each_other(tmp_path):
    arguments = ("bench", "--only", "load", "--rounds", 3, "--rates", 60, "--measure", 0.6)
    first = program(*arguments, "--out", tmp_path / "1", "--json", timeout=150)
    told = json.loads(first.stdout)
    assert told["failed"] == []
    latency = told["tables"]["Latency of an open loop, ms"]
    assert "choreography again, 60/s, base mix" in [row["arm"] for row in latency]  # the A/A pair
    assert all(row["censored"] == "0" and row["p99"] == "too few" for row in latency)
    pair = told["estimates"]["orchestration : choreography, 60/s, base mix, p50"]
    assert pair["low"] < pair["value"] < pair["high"]
    (folder,) = (tmp_path / "1").iterdir()
    assert {path.name for path in folder.iterdir()} >= {"benchmark.md", "latency.png", JOURNAL}
    again = program("bench", "--resume", folder, "--against", folder)  # nothing is left to do
    assert again.returncode == 0
    assert "agree" in again.stdout
    assert " NO " not in again.stdout


@pytest.mark.long
def test_an_interrupted_benchmark_goes_on_where_it_was(tmp_path):
    command = [PROGRAM, "bench", "--only", "counts", "--out", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:  # fmt: skip
        until = time.monotonic() + 60
        while not (journals := list(tmp_path.glob(f"*/{JOURNAL}"))) and time.monotonic() < until:
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "--resume" in said
    first = journals[0].read_text().splitlines()
    done = program("bench", "--resume", journals[0].parent, "--json", timeout=120)
    assert done.returncode == 0
    hops = json.loads(done.stdout)["tables"]["What one saga needs on any platform"][0]
    assert (hops["choreography"], hops["orchestration"]) == ("5", "5")
    whole = journals[0].read_text().splitlines()
    assert whole[: len(first)] == first
    assert len(first) < len(whole) == len({json.loads(line)["key"] for line in whole}) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--quick", "--full"), "not both"),
        (("--only", "tea"), "unknown part 'tea'"),
        (("--rates", "fast"), "--rates 'fast'"),
        (("--resume", "nowhere"), "holds no bench.json"),
        (("--against", "nowhere"), "cannot be read"),
    ],
)
def test_a_benchmark_that_makes_no_sense_is_refused(saga, tmp_path, arguments, told):
    done = saga("bench", *arguments, "--out", tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_samples_are_shared_out_by_package():
    raw = (
        "run (/x/lib/python3.11/asyncio/base_events.py:1);read (/v/site-packages/aiormq/channel.py:4) 3\n"
        "run (/x/lib/python3.11/asyncio/base_events.py:1);_commit (/w/kernel/database.py:9) 6\n"
        "<module> (odd) 1\n"
    )
    assert shares(raw) == {"kernel/database.py": 0.6, "aiormq": 0.3, "odd": 0.1}


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", ["peers", "faults", "saturation", "overload", "growth"])
async def test_each_part_measures_every_arm(part, tmp_path):
    async with open_lab(1, "process", tmp_path, real=True) as lab:
        trials = [t for t in PARTS[part].trials(FULL, real=True) if t.round == 0]
        for number, trial in enumerate(trials):
            folder = tmp_path / str(number)
            folder.mkdir()
            assert await PARTS[part].run(lab, trial, folder)
