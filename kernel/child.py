"""A child process that cannot outlive this one, with a free port of its own to listen on."""

import asyncio
import contextlib
import ctypes
import os
import random
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_OURS = (18_000, 32_000)
_CHANCE = random.SystemRandom()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def until_stopped(*, with_parent: bool = False) -> None:
    """Return at SIGTERM or SIGINT; `with_parent`: also when the process that started this one is gone."""
    stop, parent = asyncio.Event(), os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set() and not (with_parent and os.getppid() != parent):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await stop.wait()


def free_port() -> int:
    """A TCP port on loopback that nobody listened on a moment ago.

    LOOK: not one of those that the system gives to whoever asks for any (32768 and up on Linux, 49152 elsewhere): until the child listens,
    a server or a client of another run could be given the same one.
    """
    while True:
        port = _CHANCE.randrange(*_OURS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def listens(port: int) -> bool:
    """Whether somebody accepts connections on a port of loopback."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def start(
    command: Sequence[str | Path], *, log: Path, environment: dict[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start a command in its own process group, with its output in `log`. On Linux it dies with this process."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *map(str, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )


async def end(
    process: asyncio.subprocess.Process, *, with_signal: signal.Signals, within_s: float = 10.0
) -> None:
    """Signal the process and wait for it; its whole group is killed if it does not end in time."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(with_signal)
    try:
        async with asyncio.timeout(within_s):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
