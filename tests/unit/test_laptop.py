"""Each check of `saga doctor` finds what it is for, and says what to do."""

import os
import resource
import shutil
import socket
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

from choreography import rabbit_node
from testbed import laptop
from testbed.commands import play

ROOT = Path(__file__).parents[2]
needs_epmd = pytest.mark.skipif(shutil.which("epmd") is None, reason="Erlang is not installed")


def test_an_sqlite_without_returning_is_bad():
    assert laptop.sqlite((3, 26, 0)).state == "bad"
    assert laptop.sqlite((3, 35, 0)).state == "ok"


def test_a_newer_python_is_noted(monkeypatch):
    assert laptop.python().state == "ok"
    monkeypatch.setattr(laptop, "NEWEST_PYTHON", (3, 10))
    assert (laptop.python().state, laptop.python().do[:11]) == ("note", "if somethin")


def test_packages_that_differ_from_the_constraints_are_named(tmp_path):
    pins = tmp_path / "constraints.txt"
    pins.write_text("aiohttp==0.0.1\nnot-installed-here==2\n")
    found = laptop.packages(pins)
    assert found.state == "note"
    assert f"aiohttp {version('aiohttp')} instead of 0.0.1" in found.words
    assert "not-installed-here" not in found.words
    assert found.do.endswith("rm -rf .venv && make demo")


def test_a_package_that_a_run_needs_and_is_not_installed_is_bad(monkeypatch):
    monkeypatch.setattr(laptop, "closure", lambda *_: {"aiohttp", "not-there"})
    found = laptop.packages(ROOT / "constraints.txt")
    assert (found.state, found.words) == ("bad", "not installed: not-there")


def test_without_constraints_nothing_is_compared(tmp_path):
    assert "not beside the program" in laptop.packages(tmp_path / "constraints.txt").words


def test_a_runs_folder_that_cannot_be_written_is_bad_and_is_not_made(tmp_path):
    (tmp_path / "file").touch()
    runs, temporary = laptop.disk(tmp_path / "file")
    assert (runs.state, temporary.state) == ("bad", "ok")
    assert "--out" in runs.do
    runs, _ = laptop.disk(tmp_path / "new" / "runs")
    assert runs.state == "ok"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("free", "state"), [(5e9, "ok"), (5e8, "note"), (1e8, "bad")])
def test_little_disk_is_noted_and_less_is_bad(monkeypatch, tmp_path, free, state):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9e9, 0, free))
    assert {check.state for check in laptop.disk(tmp_path)} == {state}


def test_a_machine_without_any_temporary_folder_is_bad(monkeypatch, tmp_path):
    def none():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: os.open("/proc/no", os.O_CREAT))
    assert [check.state for check in laptop.disk(tmp_path)] == ["bad", "bad"]


def test_a_coarse_or_late_clock_is_noted():
    assert laptop.judged_clock(step_s=1e-7, late_s=0.001).state == "ok"
    assert laptop.judged_clock(step_s=0.016, late_s=0.001).state == "note"
    assert laptop.judged_clock(step_s=1e-7, late_s=0.05).state == "note"
    assert "steps of" in laptop.clock().words


def test_no_server_on_loopback_is_bad(monkeypatch):
    assert laptop.loopback().state == "ok"

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refused)
    assert laptop.loopback().state == "bad"
    assert "0 of 8" in laptop.loopback().words


def test_a_port_in_use_is_noted():
    assert laptop.PAGES_PORT == play.PORT
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = laptop.pages_port(port)
    assert (found.state, found.do[-5:]) == ("note", str(port + 1).rjust(5))


@pytest.mark.parametrize(
    ("around", "state"),
    [("", "note"), ("example.org", "note"), ("127.0.0.1, localhost", "ok"), ("*", "ok")],
)
def test_a_proxy_that_catches_loopback_is_noted(monkeypatch, around, state):
    for name in (*laptop.PROXIES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert laptop.proxy().words == "none is set"
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy:3128")
    monkeypatch.setenv("no_proxy", around)
    assert laptop.proxy().state == state
    assert "secret" not in str(laptop.proxy())


def test_a_low_limit_of_open_files_is_noted():
    assert [laptop.open_files(n).state for n in (256, 1024, resource.RLIM_INFINITY)] == [
        "note",
        "ok",
        "ok",
    ]


def test_a_machine_without_a_browser_is_noted(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(
        laptop.webbrowser, "get", lambda: (_ for _ in ()).throw(laptop.webbrowser.Error)
    )
    assert laptop.browser().state == "note"


async def _rabbit(monkeypatch, server):
    monkeypatch.delenv("SAGA_AMQP_URL", raising=False)
    monkeypatch.setattr(laptop, "find_server", lambda: server)
    monkeypatch.setattr(rabbit_node, "find_server", lambda: server)
    return await laptop.rabbitmq()


async def test_no_rabbitmq_is_no_trouble(monkeypatch):
    found = await _rabbit(monkeypatch, None)
    assert (found.state, found.words) == ("note", "not installed: the embedded broker is used")


@needs_epmd
async def test_a_rabbitmq_that_does_not_start_or_stays_silent_is_noted(monkeypatch, tmp_path):
    server = tmp_path / "rabbitmq-server"
    server.write_text("#!/bin/sh\necho no cookie\nexit 1\n")
    server.chmod(0o755)
    found = await _rabbit(monkeypatch, server)
    assert found.state == "note"
    assert "did not start: no cookie" in found.words
    assert found.do == "saga demo --broker memory"
    server.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(laptop, "PATIENCE_S", 0.5)
    assert "not ready within" in (await _rabbit(monkeypatch, server)).words


@pytest.mark.parametrize("url", ["amqp://user:secret@127.0.0.1:9/", "nonsense"])
async def test_a_server_of_yours_that_does_not_answer_is_noted(monkeypatch, url):
    monkeypatch.setenv("SAGA_AMQP_URL", url)
    found = await laptop.rabbitmq()
    assert (found.state, found.do) == ("note", "unset SAGA_AMQP_URL, or saga demo --broker memory")
    assert "secret" not in str(found)


@pytest.mark.slow
async def test_an_installed_rabbitmq_is_started_and_its_version_shown(rabbit, monkeypatch):
    monkeypatch.delenv("SAGA_AMQP_URL", raising=False)
    started = await laptop.rabbitmq()
    monkeypatch.setenv("SAGA_AMQP_URL", rabbit.url)
    answers = await laptop.rabbitmq()
    assert (started.state, answers.state) == ("ok", "ok")
    assert started.words.split()[0] == answers.words.split()[0]
    assert started.words.split()[0].startswith(("3.", "4."))
