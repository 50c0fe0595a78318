"""What surrounds a run and can harm it: policies, purges, full disks, addresses and certificates, neighbours on one broker.

docs/reliability.md has the outcomes in a table.
"""

import asyncio
import json
import subprocess
import tempfile
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import quote

import pytest
from aiohttp import web

from choreography.rabbit_connection import check_server, close, connect
from choreography.rabbit_node import RabbitNode
from choreography.rabbit_policies import MANAGEMENT_PORTS
from choreography.rabbit_troubles import TROUBLES
from kernel.child import free_port
from kernel.errors import UsageError
from kernel.policy import Policy
from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.judge.verdict import Exit, Judgement
from scenarios.runs.environment import Backends
from scenarios.runs.scenario import ENDED, LATE, PARKED
from tests.integration.shop import open_shop

pytestmark = [pytest.mark.timeout(180)]
SOME_FAIL = (
    {"orders": {"every": 3}, "operation": "ChargePayment", "moment": "participant.error", "attempts": [1, 2]},
    {"orders": {"every": 10}, "operation": "BookShipment", "moment": "business.refused"},
    {"orders": {"every": 10}, "operation": "RefundPayment", "moment": "participant.error", "attempts": "all"},
)  # fmt: skip
"""Messages wait for their retry, and some are parked."""
ANY_END = {"expects": lambda i: ENDED | PARKED | LATE}
STYLES = ("choreography", "orchestration")
SCENARIOS = pytest.mark.parametrize(
    "scenario", ["happy_path", pytest.param("cut_off", marks=pytest.mark.slow)]
)


@asynccontextmanager
async def _policy(node, definition):
    """Gives a function that sets the policy; it ends with the context."""

    async def set_it():
        words = ["set_policy", "t", r"^saga\.", json.dumps(definition), "--apply-to", "queues"]
        await node.control(*words)

    try:
        yield set_it
    finally:
        with suppress(UsageError):
            await node.control("clear_policy", "t")


@asynccontextmanager
async def _channel(node):
    connection = await connect(node.url)
    try:
        async with connection.channel() as channel:
            yield await channel.get_underlay_channel()
    finally:
        await close(connection)


@contextmanager
def _disk(folder, size):
    """A disk of its own."""
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if subprocess.run(mounting, check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def _small_disk(folder, size):
    """A disk of its own under everything that is written to temporary folders meanwhile."""
    with _disk(folder, size):
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = before


def _fill(folder):
    """Write a file until nothing more fits; removing it makes room again."""
    filler = folder / "filler"
    filling = ["dd", "if=/dev/zero", f"of={filler}", "bs=4k"]
    subprocess.run(filling, check=False, stderr=subprocess.DEVNULL)
    return filler


def _notes(result):
    return json.loads((result.folder / "run.json").read_text())["notes"]


# Policies and purges


@pytest.mark.long
async def test_a_policy_of_a_limited_length_loses_no_dead_letter(run_scenario, real_pair, rabbit):
    async with _policy(rabbit, {"max-length": 1, "overflow": "drop-head"}) as set_it:
        result = await run_scenario(
            "happy_path", "choreography", backends=real_pair, orders=120, rate_per_s=12,
            faults=SOME_FAIL, during=set_it, **ANY_END,
        )  # fmt: skip
    assert result.verdict.counts()["parked"] == 12
    assert result.verdict.judgement is Judgement.CONSISTENT
    assert any("evidence is missing" in note and "max-length" in note for note in _notes(result))


@pytest.mark.long
@pytest.mark.parametrize(
    ("definition", "durability"),
    [
        ({"message-ttl": 50}, "process"),
        ({"expires": 300}, "process"),
        ({"max-length": 1, "overflow": "drop-head"}, "power"),
        ({"expires": 300}, "power"),
        ({"delivery-limit": 1}, "power"),
    ],
)
async def test_a_policy_that_takes_dead_letters_shows_in_the_verdict_with_its_name(
    run_scenario, real_pair, rabbit, definition, durability
):
    async with _policy(rabbit, definition) as set_it:
        result = await run_scenario(
            "happy_path", "choreography", backends=real_pair, orders=120, rate_per_s=12,
            durability=durability, faults=SOME_FAIL, during=set_it, **ANY_END,
        )  # fmt: skip
    verdict = result.verdict
    assert verdict.judgement in (Judgement.INCONSISTENT, Judgement.UNKNOWN)
    assert next(iter(definition)) in verdict.problems[0]
    assert "policy" in verdict.problems[0]


async def test_a_policy_that_the_management_api_shows_is_a_warning_when_a_run_starts(
    run_scenario, rabbit, monkeypatch, caplog
):
    async def answer(request):
        policy = {"name": "ours", "pattern": ".*", "definition": {"expires": 60_000}}
        return web.json_response([policy | {"priority": 0, "apply-to": "queues"}])

    application = web.Application()
    application.router.add_get("/api/policies/{vhost}", answer)
    application.router.add_get("/api/operator-policies/{vhost}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    monkeypatch.setitem(MANAGEMENT_PORTS, "amqp", port)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        backends = Backends(broker=rabbit.url, engine="embedded")
        result = await run_scenario("happy_path", "choreography", backends=backends, orders=3)
    finally:
        await runner.cleanup()
    assert result.verdict.exit_code() is Exit.AS_EXPECTED
    warning = "the policy 'ours' of the RabbitMQ server (expires 60000) applies to 21 queues"
    assert any(warning in note for note in _notes(result))
    assert warning in caplog.text


async def test_dead_letters_that_were_purged_are_missed(rabbit, tmp_path):
    plan = FaultPlan(
        faults=(
            Fault(orders="all", operation="BookShipment", moment=Moment.ERROR, attempts="all"),
            Fault(orders="all", operation="RefundPayment", moment=Moment.ERROR, attempts="all"),
        )
    )
    fast = Policy(time_scale=0.05)
    async with open_shop(rabbit, tmp_path, plan=plan, order_ids=["o0"], policy=fast) as (
        shop,
        setting,
    ):
        await shop.place(1)
        async with asyncio.timeout(10):
            while not await shop.system.parked():
                await asyncio.sleep(0.05)
        assert await shop.system.lost() == []
        async with _channel(rabbit) as channel:
            await channel.queue_purge(f"{setting.prefix}.payment.dead")
        (line,) = await shop.system.lost()
    assert line.startswith(
        "1 dead letters of payment are gone from the broker, o0:RefundPayment first"
    )


@pytest.mark.long
async def test_a_purge_of_work_queues_costs_orders_and_is_seen(run_scenario, real_pair, rabbit):
    async def purge():
        for line in (await rabbit.control("list_queues", "name")).split():
            if line.startswith("saga.") and "audit" not in line:
                await rabbit.control("purge_queue", line)

    slow = {"orders": "all", "operation": "ChargePayment", "moment": "participant.error"}
    result = await run_scenario(
        "happy_path", "choreography", backends=real_pair, orders=300, rate_per_s=30,
        time_scale=0.5, faults=[slow], during=purge,
    )  # fmt: skip
    assert result.verdict.exit_code() is Exit.NOT_AS_EXPECTED
    assert result.verdict.counts()["committed"] < 300
    assert any("nothing followed" in law.why for law in result.verdict.laws if not law.held)


# What the node does to its clients


@pytest.mark.long
async def test_connections_that_are_closed_every_second_for_twenty_seconds_lose_no_order(
    rabbit, tmp_path
):
    async with open_shop(rabbit, tmp_path) as (shop, _):
        placing = asyncio.create_task(shop.place(200, every_s=0.1))
        for _ in range(20):
            await asyncio.gather(
                asyncio.sleep(1), rabbit.control("close_all_connections", "closed for a test")
            )
        await placing
        await shop.all_confirmed()


@pytest.mark.long
@pytest.mark.parametrize("name", ["memory alarm", "disk alarm"])
async def test_an_alarm_that_comes_and_goes_loses_no_order(rabbit, tmp_path, name):
    async with open_shop(rabbit, tmp_path) as (shop, _):
        placing = asyncio.create_task(shop.place(100, every_s=0.05))
        for _ in range(5):
            async with TROUBLES[name](rabbit):
                await asyncio.sleep(0.3)
        await placing
        await shop.all_confirmed()


@pytest.mark.slow
async def test_a_message_held_beyond_the_consumer_timeout_comes_again_and_acts_once(
    rabbit, tmp_path
):
    short = "application:set_env(rabbit, consumer_timeout, 500), application:set_env(rabbit, channel_tick_interval, 200)."
    usual = "application:set_env(rabbit, consumer_timeout, 1800000), application:set_env(rabbit, channel_tick_interval, 60000)."
    slow = Fault(orders=[0], operation="ChargePayment", moment=Moment.SLOW, for_s=4.0)
    plan = FaultPlan(faults=(slow,))
    await rabbit.control("eval", short)
    try:
        async with open_shop(rabbit, tmp_path, plan=plan, order_ids=["o0", "o1"]) as (shop, _):
            await shop.place(2)
            await shop.all_confirmed()
            payment = shop.participants.by_name["payment"].database
            again = await payment.read(lambda tx: tx.all("SELECT message_id FROM redeliveries"))
    finally:
        await rabbit.control("eval", usual)
    assert {"message_id": "o0:ChargePayment"} in again


# Full disks


@pytest.mark.long
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("processes", [False, True])
async def test_a_full_disk_under_the_databases_is_named(
    run_scenario, real_pair, tmp_path, style, processes
):
    with _small_disk(tmp_path / "small", "4m") as disk:

        async def fill():
            _fill(disk)

        result = await run_scenario(
            "happy_path", style, backends=real_pair, orders=60, rate_per_s=20,
            processes=processes, during=fill,
        )  # fmt: skip
    assert result.verdict.exit_code() in (Exit.NOT_AS_EXPECTED, Exit.UNKNOWN)
    assert "full" in result.verdict.problems[0]


@pytest.mark.long
@pytest.mark.parametrize("style", STYLES)
async def test_a_disk_that_was_full_for_two_seconds_leaves_every_saga_accounted_for(
    run_scenario, real_pair, tmp_path, style
):
    with _small_disk(tmp_path / "small", "64m") as disk:

        async def fill_for_a_while():
            filler = _fill(disk)
            await asyncio.sleep(2)
            filler.unlink()

        result = await run_scenario(
            "happy_path", style, backends=real_pair, orders=60, rate_per_s=20, time_scale=1,
            processes=True, during=fill_for_a_while, **ANY_END,
        )  # fmt: skip
    assert result.verdict.exit_code() is Exit.AS_EXPECTED, result.verdict.problems[:3]
    assert result.verdict.counts()["committed"] > 20


@pytest.mark.parametrize("size", ["4k", "8k", "64k"])
def test_a_full_disk_under_the_run_folder_is_one_line(saga, tmp_path, size):
    with _disk(tmp_path / "out", size):
        done = saga(
            "run", "happy_path", "--style", "choreography", "--broker", "memory", "--engine",
            "inprocess", "--orders", 60, "--rate", 200, "--out", tmp_path / "out",
        )  # fmt: skip
    assert done.returncode == Exit.UNKNOWN
    assert "No space left on device" in done.stdout + done.stderr


@pytest.mark.long
async def test_a_broker_that_ended_on_a_full_disk_loses_no_order_once_it_is_started_again(tmp_path):
    with _small_disk(tmp_path / "small", "200m") as disk:
        async with RabbitNode.open() as node, open_shop(node, tmp_path) as (shop, _):
            await shop.place(10)
            placing = asyncio.create_task(shop.place(50))
            filler = _fill(disk)
            await asyncio.sleep(3)
            assert not placing.done(), "a broker without room has accepted orders"
            filler.unlink()
            await node.kill()
            await node.restart()
            await placing
            await shop.all_confirmed()


# Addresses


@pytest.fixture
async def special(rabbit):
    """A server of the user's own: user, password and virtual host are full of characters that mean something in an address."""
    user, password, vhost = "us@er", "p@ss/w:rd#? %&ü", "or/ders #1"
    await rabbit.control("add_vhost", vhost)
    await rabbit.control("add_user", user, password)
    await rabbit.control("set_permissions", "-p", vhost, user, ".*", ".*", ".*")
    server = rabbit.url.rpartition("@")[2].rstrip("/")
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    try:
        yield f"amqp://{login}@{server}/{quote(vhost, safe='')}"
    finally:
        await rabbit.control("delete_user", user)
        await rabbit.control("delete_vhost", vhost)


@SCENARIOS
async def test_special_characters_in_user_password_and_virtual_host_are_percent_encoded(
    run_scenario, special, scenario
):
    backends = Backends(broker=special, engine="embedded")
    result = await run_scenario(scenario, "choreography", backends=backends, orders=6)
    assert result.verdict.exit_code() is Exit.AS_EXPECTED
    written = "".join(p.read_text() for p in result.folder.rglob("*.json*"))
    assert quote("p@ss/w:rd#? %&ü", safe="") not in written
    assert "p@ss" not in written


@pytest.mark.parametrize("password", ["qz/rdf", "qz#rdf", "qz?rdf", "qz@rdf", "qzxrdf"])
async def test_an_address_that_does_not_work_is_answered_without_its_password(rabbit, password):
    server = rabbit.url.rpartition("@")[2]
    with pytest.raises(UsageError) as refused:
        await check_server(f"amqp://guest:{password}@{server}")
    assert "percent-encoded" in str(refused.value)
    assert "qz" not in str(refused.value)


async def test_a_virtual_host_that_is_not_there_is_named_as_the_cause(rabbit):
    with pytest.raises(UsageError, match="the virtual host does not exist"):
        await check_server(rabbit.url + "nosuch")


@SCENARIOS
async def test_a_server_is_reached_over_ipv6(run_scenario, rabbit, scenario):
    port = free_port()
    listening = await rabbit.control(
        "eval", f'catch rabbit_networking:start_tcp_listener({{"::1", {port}}}, 10).'
    )
    if "ok" not in listening:
        pytest.skip("this machine has no IPv6 loopback")
    backends = Backends(broker=f"amqp://guest:guest@[::1]:{port}/", engine="embedded")
    result = await run_scenario(scenario, "choreography", backends=backends, orders=6)
    assert result.verdict.exit_code() is Exit.AS_EXPECTED


def _openssl(*words, within):
    subprocess.run(["openssl", *words], cwd=within, check=True, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """ca.pem, and server.pem for the name localhost alone, signed by it."""
    folder = tmp_path_factory.mktemp("certificates")
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout"]
    _openssl("req", "-x509", *key, "ca.key", "-out", "ca.pem", "-subj", "/CN=ours", within=folder)
    _openssl("req", *key, "server.key", "-out", "server.csr", "-subj", "/CN=broker", within=folder)
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    signing = ["-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
    _openssl("x509", "-req", *signing, "-extfile", "names", "-out", "server.pem", within=folder)
    return folder


@pytest.fixture
async def amqps(rabbit, certificates):
    """An amqps:// address of the node, without its CA."""
    port, files = free_port(), {k: f"{certificates}/{v}" for k, v in _FILES.items()}
    options = ", ".join(f'{{{key}, "{path}"}}' for key, path in files.items())
    starting = f'rabbit_networking:start_ssl_listener({{"127.0.0.1", {port}}}, [{options}], 10).'
    await rabbit.control("eval", f"rabbit_networking:ensure_ssl(), {starting}")
    return f"amqps://guest:guest@localhost:{port}/"


_FILES = {"cacertfile": "ca.pem", "certfile": "server.pem", "keyfile": "server.key"}


@SCENARIOS
async def test_amqps_with_a_private_ca_is_verified_by_name(
    run_scenario, amqps, certificates, scenario
):
    backends = Backends(broker=f"{amqps}?cafile={certificates}/ca.pem", engine="embedded")
    result = await run_scenario(scenario, "choreography", backends=backends, orders=6)
    assert result.verdict.exit_code() is Exit.AS_EXPECTED, result.verdict.problems


async def test_amqps_with_a_ca_that_nobody_knows_is_refused(amqps):
    with pytest.raises(UsageError, match="CERTIFICATE_VERIFY_FAILED"):
        await check_server(amqps)


# Neighbours


@pytest.mark.slow
async def test_two_runs_at_once_on_one_broker_do_not_meet(run_scenario, rabbit):
    backends = Backends(broker=rabbit.url, engine="embedded")
    kinds = ("happy_path", "out_of_stock")
    results = await asyncio.gather(
        *(run_scenario(kind, "choreography", backends=backends, orders=20) for kind in kinds)
    )
    assert [r.verdict.exit_code() for r in results] == [Exit.AS_EXPECTED] * 2
    left = await rabbit.control("list_queues", "name")
    ids = [json.loads((r.folder / "run.json").read_text())["run_id"] for r in results]
    assert not any(run_id in left for run_id in ids)
