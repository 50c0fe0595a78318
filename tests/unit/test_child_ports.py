"""Ports of child processes."""

import socket

from kernel.child import free_port


def test_a_free_port_is_none_that_the_system_gives_away_by_itself():
    """Else a server that asks for any port could get it before the child listens."""
    with socket.socket() as anyone:
        anyone.bind(("127.0.0.1", 0))
        given = anyone.getsockname()[1]
    ports = {free_port() for _ in range(200)}
    assert max(ports) < 32_768 <= given
    assert len(ports) > 150


def test_a_port_that_is_taken_is_not_free(monkeypatch):
    with socket.socket() as taken, socket.socket() as other:
        taken.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        free = other.getsockname()[1]
        drawn = [taken.getsockname()[1], free]
        other.close()
        monkeypatch.setattr("kernel.child._CHANCE.randrange", lambda *_: drawn.pop(0))
        assert free_port() == free
