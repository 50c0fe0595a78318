"""`saga doctor` says what a laptop lacks, and what to do about it."""

import json
import socket


def _found(done):
    return {row["what"]: row for row in json.loads(done.stdout)["found"]}


def test_a_laptop_on_which_no_server_can_be_reached_is_not_ready(saga, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refused)
    done = saga("doctor", "--json")
    assert done.returncode == 1
    assert _found(done)["loopback"]["state"] == "bad"
    assert "Permission denied" in _found(done)["loopback"]["words"]


def test_a_proxy_is_named_with_what_to_do(saga, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy:3128")
    done = saga("doctor", "--json")
    assert done.returncode == 0
    assert _found(done)["proxy"]["words"].startswith("https_proxy is set")
    assert "secret" not in done.stdout
