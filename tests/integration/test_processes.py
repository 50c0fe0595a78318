"""One process per participant: the same outcomes, kill -9 at named moments, supervision, and no orphans."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from choreography.rabbit_broker import RabbitBroker
from choreography.rabbit_connection import AMQP_VARIABLE, connect
from choreography.rabbit_topology import find
from choreography.system import ChoreographedSystem, topology
from kernel.errors import UsageError
from kernel.participants import database_path, open_participants
from kernel.policy import Policy
from scenarios.catalog.index import scenarios_of
from scenarios.judge.verdict import Judgement
from scenarios.runs.folder import read_json, read_lines
from scenarios.runs.processes import ParticipantProcess, RestartPolicy
from scenarios.runs.runner import run
from scenarios.runs.spec import RunSpec
from shared_domain.order.saga import SAGA
from tests.samples import environment, order

pytestmark = [pytest.mark.timeout(120)]
styles = pytest.mark.parametrize("style", ["choreography", "orchestration"])


def _spec(name, style, backends, **changes):
    given = {
        "saga": SAGA, "variant": SAGA.variant,
        "scenario": scenarios_of(SAGA)[name], "style": style, "orders": 20, "seed": 1, "backends": backends,
        "rate_per_s": 40.0, "time_scale": 0.05, "processes": True,
    }  # fmt: skip
    return RunSpec(**given | changes)


@pytest.mark.slow
@styles
async def test_kill_9_of_a_participant_after_its_commit_loses_and_doubles_nothing(
    tmp_path, real_pair, style
):
    # Python may take seconds to start again where other tests run: far from any deadline.
    spec = _spec("crash_after_commit", style, real_pair, time_scale=1.0)
    result = await run(spec, runs=tmp_path, facts={})
    assert result.verdict.judgement is Judgement.CONSISTENT, result.verdict.problems
    # A conductor may lose patience while Python starts again, and compensate.
    assert {o.order_class for o in result.verdict.orders} <= {"committed", "compensated"}
    if style == "choreography":
        assert await _queues_of(result.folder, real_pair.broker) == []
    crashes = read_lines(result.folder / "faults.jsonl")
    assert [crash["struck"] for crash in crashes] == [True] * 2
    assert len(read_lines(result.folder / "trace.jsonl")) > 20, "no spans of the processes"


async def _queues_of(folder, url):
    connection = await connect(url)
    try:
        return await find(
            connection, f"saga.{read_json(folder / 'run.json')['run_id']}", SAGA.services
        )
    finally:
        await connection.close()


@styles
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("lost_reply", marks=pytest.mark.slow),
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in ("crash_before_commit", "budget_spent", "late_success")
        ),
    ],
)
async def test_scenarios_end_alike_in_processes_of_their_own(tmp_path, real_pair, style, name):
    result = await run(_spec(name, style, real_pair), runs=tmp_path, facts={})
    assert result.verdict.as_expected, result.verdict.problems


@styles
async def test_customers_in_a_process_of_their_own_are_served_struck_and_traced_alike(
    tmp_path, real_pair, style
):
    spec = _spec(
        "lost_reply", style, real_pair, processes=False, customers_apart=True, time_scale=0.1
    )
    result = await run(spec, runs=tmp_path, facts={})
    assert result.verdict.as_expected, result.verdict.problems
    orders = read_lines(result.folder / "orders.jsonl")
    assert all(o["intended_mono_s"] <= o["started_mono_s"] <= o["accepted_mono_s"] for o in orders)
    assert all(o["told"][0] == "PENDING" for o in orders)
    spans = read_lines(result.folder / "trace.jsonl")
    assert sum(span["name"] == "place order" for span in spans) == 20
    assert "--customers-apart" in read_json(result.folder / "run.json")["replay"]


async def test_a_run_whose_customers_process_is_killed_is_unknown_and_says_so(tmp_path, real_pair):
    spec = _spec(
        "happy_path",
        "choreography",
        real_pair,
        processes=False,
        customers_apart=True,
        rate_per_s=1.0,
    )

    async def killed():
        while not (
            pids := [
                c
                for c in psutil.Process().children(recursive=True)
                if "customers_process" in " ".join(c.cmdline())
            ]
        ):
            await asyncio.sleep(0.05)
        while not list(tmp_path.rglob("begun.json")):
            await asyncio.sleep(0.05)
        pids[0].kill()

    killing = asyncio.create_task(killed())
    result = await run(spec, runs=tmp_path, facts={})
    assert result.verdict.exit_code() == 3
    assert "the customers' process ended while" in result.verdict.problems[0]
    await killing


@pytest.mark.long
async def test_a_participant_that_is_never_started_again_leaves_its_orders_open_and_shown(
    tmp_path, real_pair
):
    scenario = replace(scenarios_of(SAGA)["crash_before_commit"], restart=RestartPolicy(at_most=0))
    spec = _spec("happy_path", "choreography", real_pair, scenario=scenario, orders=20)
    result = await run(spec, runs=tmp_path, facts={})
    assert result.verdict.judgement is Judgement.INCONSISTENT
    assert "stuck" in {o.order_class for o in result.verdict.orders}


def _sleeper(folder, text="ready"):
    script = f"print({text!r}, flush=True); import time; time.sleep(60)"
    return ParticipantProcess(
        [sys.executable, "-c", script], log=folder / "sleeper.log", environment={}
    )


async def test_a_supervisor_starts_a_dead_process_again_as_often_as_it_may(tmp_path):
    process = _sleeper(tmp_path)
    await process.start()
    watching = asyncio.create_task(process.supervise(RestartPolicy(at_most=1)))
    first = process.pid
    process.kill()
    async with asyncio.timeout(10):
        while process.pid == first or not psutil.pid_exists(process.pid):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        process.kill()
        await watching
    assert process.deaths == 2
    assert not psutil.pid_exists(process.pid)


async def test_a_life_that_ends_before_it_is_ready_does_not_count_against_the_next_one(tmp_path):
    process = _sleeper(tmp_path)
    await process.start()
    (tmp_path / "sleeper.log").write_text("the life before said nothing\n")
    await process.end()
    await process.start()
    await process.end()


async def test_a_process_that_ends_before_it_is_ready_is_named_with_its_last_words(tmp_path):
    script = "import sys; print('no such database', flush=True); sys.exit(2)"
    process = ParticipantProcess(
        [sys.executable, "-c", script], log=tmp_path / "log", environment={}
    )
    with pytest.raises(UsageError, match="no such database"):
        await process.start()


def _descendants(pid):
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill -9"])
def test_no_process_outlives_its_runner(tmp_path, how, rabbit):
    command = [
        sys.executable, "-c", "from testbed.cli import main; main()", "run", "happy_path",
        "--processes", "--customers-apart", "--orders", "500", "--rate", "10", "--out", str(tmp_path),
        "--style", "choreography", "--engine", "embedded",
    ]  # fmt: skip
    runner = subprocess.Popen(
        command,
        env={**os.environ, AMQP_VARIABLE: rabbit.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 30
        while len(started := _descendants(runner.pid)) <= len(SAGA.services):
            assert time.monotonic() < until, "the participants and customers did not start"
            time.sleep(0.1)
        time.sleep(1)
        runner.send_signal(how)
        runner.wait(timeout=30)
        until = time.monotonic() + 10
        while any(_alive(pid) for pid in started):
            assert time.monotonic() < until, "orphans"
            time.sleep(0.1)
    finally:
        runner.kill()
        runner.wait()


def _alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_four_participants_that_were_started_by_hand_carry_orders_out(tmp_path, rabbit):
    """What the module's own documentation says: python -m choreography NAME, four times."""
    prefix, around = f"byhand.{os.getpid()}", environment(policy=Policy())
    async with open_participants(tmp_path, around) as participants:
        await participants.stock_up({"book": 100})
        processes = [
            subprocess.Popen(  # noqa: ASYNC220 - it is started, not waited for
                [
                    sys.executable, "-m", "choreography", name, "--amqp", rabbit.url,
                    "--prefix", prefix, "--database", str(database_path(tmp_path, name)),
                ]
            )
            for name in SAGA.services
        ]  # fmt: skip
        try:
            queues = topology(prefix=prefix, environment=around)
            async with (
                RabbitBroker.open(rabbit.url, queues) as broker,
                ChoreographedSystem.open(
                    participants=participants, services={}, broker=broker, environment=around
                ) as customer,
            ):  # fmt: skip
                for n in range(5):
                    await customer.start(order(f"o{n}"))
                async with asyncio.timeout(30):
                    for n in range(5):
                        while await customer.outcome(f"o{n}") != "CONFIRMED":
                            await asyncio.sleep(0.05)
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            assert [process.wait(timeout=20) for process in processes] == [0] * 4
