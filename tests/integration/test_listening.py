"""Nothing that a run starts can be reached from another machine."""

import subprocess
import sys
import time

import psutil
import pytest

PROGRAM = [sys.executable, "-c", "from testbed.cli import main; main()"]


def _listening(process):
    """Program -> the addresses at which it, or whatever it started, listens now."""
    found = {}
    for one in (process, *process.children(recursive=True)):
        try:
            sockets, name = one.net_connections(kind="inet"), one.name()
        except psutil.NoSuchProcess:
            continue
        for socket in sockets:
            if socket.status == psutil.CONN_LISTEN:
                found.setdefault(name, set()).add(socket.laddr.ip)
    return found


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.usefixtures("rabbit")
def test_every_socket_of_every_child_of_a_run_listens_on_loopback_alone(tmp_path):
    arguments = ["--processes", "--orders", "16", "--rate", "10", "--time-scale", "0.1", "--out", tmp_path]  # fmt: skip
    command = [*PROGRAM, "run", "happy_path", "--broker", "rabbitmq", *map(str, arguments)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen = {}
    try:
        while running.poll() is None:
            for name, addresses in _listening(psutil.Process(running.pid)).items():
                seen.setdefault(name, set()).update(addresses)
            time.sleep(0.2)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0
    names = " ".join(seen)
    for part in ("beam", "epmd", "python"):
        assert part in names, seen
    for name, addresses in seen.items():
        assert addresses <= {"127.0.0.1", "::1"}, (name, addresses)
