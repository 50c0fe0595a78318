"""`saga doctor` says whether the demo can run on a laptop, and what to do if not."""

import json
import socket

import pytest

from testbed import laptop


@pytest.fixture(autouse=True)
def _no_rabbitmq(monkeypatch):
    monkeypatch.setattr(laptop, "find_server", lambda: None)


def test_a_laptop_with_the_embedded_broker_only_is_ready(saga):
    done = saga("doctor")
    assert done.returncode == 0
    assert done.stdout.endswith("The demo can run here, with the embedded broker.\n")
    assert "│ note │ RabbitMQ" in done.stdout


def test_a_laptop_on_which_no_server_can_be_reached_is_not_ready(saga, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refused)
    done = saga("doctor", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["exit_code"], found["ok"]) == (1, 1, False)
    assert [row["what"] for row in found["found"] if row["state"] == "bad"] == ["loopback"]
    assert all(row["do"] for row in found["found"] if row["state"] != "ok")
    assert saga("doctor").stdout.endswith("The demo cannot run here: loopback.\n")


def test_a_runs_folder_that_is_a_file_is_named(saga, tmp_path):
    (tmp_path / "runs").touch()
    done = saga("doctor", "--json")
    assert done.returncode == 1
    assert "runs cannot be written (Not a directory)" in done.stdout
